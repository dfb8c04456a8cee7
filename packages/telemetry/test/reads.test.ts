import type { DomainError, TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { listTopSubjects, readSeries, readSummary, recordTelemetry, type TelemetryStatistics } from '../src/index.ts';
import { refreshAll } from './support/telemetry-reference.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

const time = (text: string) => new Date(`2026-${text}Z`);
const now = time('11-01T00:00:00');

interface Event {
  readonly subject: string;
  readonly metric: string;
  readonly value: number;
  readonly at: Date;
  readonly labels?: Readonly<Record<string, string>>;
}

async function filled(events: readonly Event[], clock = now) {
  const tenant = freshTenant();
  await telemetry.run(
    tenant,
    async (tx) => {
      await recordTelemetry(tx, { events });
      await refreshAll(tx);
    },
    { now: clock },
  );
  return <Result>(read: (tx: TenantTx) => Promise<Result>) => telemetry.run(tenant, read);
}

/** The value at the rank floor(share * (n - 1)), of all values. */
function exactPercentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

function expectStatistics(
  got: TelemetryStatistics,
  values: readonly number[],
  shares: readonly number[],
  seconds: number,
) {
  const finite = values.filter(Number.isFinite);
  const n = finite.length;
  expect(got.n).toBe(n);
  expect(got.nanCount).toBe(values.filter(Number.isNaN).length);
  expect(got.perSecond).toBeCloseTo(values.length / seconds, 12);
  if (n === 0) {
    expect(got).toMatchObject({ sum: null, mean: null, variance: null, min: null, max: null });
    expect(got.percentiles).toEqual(shares.map(() => null));
    return;
  }
  const sum = finite.reduce((total, value) => total + value, 0);
  const mean = sum / n;
  expect(got.sum).toBeCloseTo(sum, 6);
  expect(got.mean).toBeCloseTo(mean, 6);
  // The sign of a zero is not kept.
  expect([got.min, got.max]).toEqual([Math.min(...finite) + 0, Math.max(...finite) + 0]);
  if (n === 1) expect(got.variance).toBeNull();
  else expect(got.variance).toBeCloseTo(finite.reduce((total, value) => total + (value - mean) ** 2, 0) / (n - 1), 4);
  for (const [index, share] of shares.entries()) {
    const exact = exactPercentile(finite, share);
    expect(Math.abs((got.percentiles[index] ?? Number.NaN) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.0100001);
  }
}

const shares = [0, 0.25, 0.5, 0.95, 1];

describe('readSeries', () => {
  it('gives what the values of each point come to, in any zone and step, and leaves no time out', async () => {
    const anEvent = fc.record({
      subject: fc.constantFrom('a', 'b'),
      metric: fc.constant('m'),
      value: fc.oneof(
        { weight: 6, arbitrary: fc.double({ min: -100, max: 100, noNaN: true }) },
        { weight: 1, arbitrary: fc.constantFrom(0, Number.NaN, Number.POSITIVE_INFINITY, 1e-9) },
      ),
      // Over the end of summer time in Europe and America.
      at: fc.integer({ min: time('10-23T00:00:00').getTime(), max: now.getTime() }).map((ms) => new Date(ms)),
      labels: fc.constantFrom({}, { region: 'eu' }, { region: 'eu', zone: '1' }),
    });
    const anInput = fc.record({
      step: fc.constantFrom(
        'day' as const,
        'week' as const,
        'month' as const,
        { minutes: 30 },
        { minutes: 60 },
        { minutes: 360 },
      ),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu'),
      from: fc.integer({ min: 0, max: 5 * 86_400_000 }).map((ms) => new Date(time('10-22T00:00:00').getTime() + ms)),
      length: fc.integer({ min: 1, max: 9 * 86_400_000 }),
      subject: fc.constantFrom(undefined, 'a'),
      labels: fc.constantFrom(undefined, { region: 'eu' }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anEvent, { minLength: 1, maxLength: 80 }),
        fc.array(anInput, { minLength: 4, maxLength: 4 }),
        async (events, inputs) => {
          const run = await filled(events);
          for (const { length, subject, labels, ...input } of inputs) {
            const to = new Date(input.from.getTime() + length);
            const selection = { ...(subject && { subject }), ...(labels && { labels }) };
            const points = await run((tx) =>
              readSeries(tx, { metric: 'm', ...selection, ...input, to, percentiles: shares }),
            );
            expect(points[0]?.from.getTime()).toBeLessThanOrEqual(input.from.getTime());
            expect(points.at(-1)?.to.getTime()).toBeGreaterThanOrEqual(to.getTime());
            const chosen = events.filter(
              (event) =>
                (subject ?? event.subject) === event.subject && (labels === undefined || 'region' in event.labels),
            );
            for (const [index, point] of points.entries()) {
              if (index > 0) expect(point.from).toEqual(points[index - 1]?.to);
              const values = chosen.filter(({ at }) => at >= point.from && at < point.to).map(({ value }) => value);
              expectStatistics(point, values, shares, (point.to.getTime() - point.from.getTime()) / 1_000);
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('begins days, weeks and months at local midnight, also where a day has 23 or 25 hours', async () => {
    const run = await filled([{ subject: 'a', metric: 'm', value: 1, at: time('03-29T00:30:00') }]);
    const read = (step: 'day' | 'week' | 'month' | { minutes: number }, from: Date, to: Date) =>
      run((tx) => readSeries(tx, { metric: 'm', from, to, step, timeZone: 'Europe/Berlin' }));
    const spring = await read('day', time('03-28T12:00:00'), time('03-30T12:00:00'));
    expect(spring.map(({ from, n }) => [from.toISOString(), n])).toEqual([
      ['2026-03-27T23:00:00.000Z', 0],
      ['2026-03-28T23:00:00.000Z', 1],
      ['2026-03-29T22:00:00.000Z', 0],
    ]);
    const [week, ...moreWeeks] = await read('week', time('03-25T00:00:00'), time('03-29T12:00:00'));
    expect([week?.from, week?.to, moreWeeks]).toEqual([time('03-22T23:00:00'), time('03-29T22:00:00'), []]);
    const [month] = await read('month', time('03-25T00:00:00'), time('03-29T12:00:00'));
    expect([month?.from, month?.to, month?.n]).toEqual([time('02-28T23:00:00'), time('03-31T22:00:00'), 1]);
    // Six hours and, where the day ends early, five.
    const quarters = await read({ minutes: 360 }, time('03-29T00:00:00'), time('03-29T21:00:00'));
    expect(quarters.map(({ from, to }) => (to.getTime() - from.getTime()) / 3_600_000)).toEqual([6, 6, 6, 5]);
  });

  it('leaves nothing out where clocks go back over midnight, and has no point for a day that a zone left out', async () => {
    // In Havana 00:30 comes twice on 1 November: first at 04:30Z, as the end of a day of 25 hours.
    const run = await filled(
      [{ subject: 'a', metric: 'm', value: 1, at: time('11-01T04:30:00') }],
      time('11-02T00:00:00'),
    );
    const window = { metric: 'm', from: time('11-01T04:20:00'), to: time('11-01T06:00:00') };
    for (const step of ['day' as const, { minutes: 30 }]) {
      const points = await run((tx) => readSeries(tx, { ...window, step, timeZone: 'America/Havana' }));
      expect(points[0]?.from.getTime()).toBeLessThanOrEqual(window.from.getTime());
      expect(points.reduce((sum, { n }) => sum + n, 0)).toBe(1);
    }
    const days = await run((tx) =>
      readSeries(tx, {
        metric: 'm',
        from: new Date('2011-12-29T10:00:00Z'),
        to: new Date('2011-12-31T10:00:00Z'),
        step: 'day',
        timeZone: 'Pacific/Apia',
      }),
    );
    expect(days.map(({ from, perSecond }) => [from.toISOString(), perSecond])).toEqual([
      ['2011-12-29T10:00:00.000Z', 0],
      ['2011-12-30T10:00:00.000Z', 0],
    ]);
  });

  it('fills gaps with nothing, with what was known last, or leaves them out', async () => {
    const run = await filled([
      { subject: 'a', metric: 'm', value: 4, at: time('05-04T10:06:00') },
      { subject: 'a', metric: 'm', value: Number.NaN, at: time('05-04T10:11:00') },
    ]);
    const input = {
      metric: 'm',
      from: time('05-04T10:00:00'),
      to: time('05-04T10:20:00'),
      step: { minutes: 5 },
      percentiles: [0.5],
    };
    const read = async (gaps?: 'empty' | 'omit' | 'previous') =>
      (await run((tx) => readSeries(tx, { ...input, ...(gaps && { gaps }) }))).map(
        ({ from, n, nanCount, mean, percentiles }) => [from.getUTCMinutes(), n, nanCount, mean, percentiles[0]],
      );
    expect(await read()).toEqual([
      [0, 0, 0, null, null],
      [5, 1, 0, 4, expect.closeTo(4, 1)],
      [10, 0, 1, null, null],
      [15, 0, 0, null, null],
    ]);
    expect(await read('omit')).toHaveLength(2);
    const previous = await read('previous');
    expect(previous.map(([, n, , mean]) => [n, mean])).toEqual([
      [0, null],
      [1, 4],
      [0, 4],
      [0, 4],
    ]);
  });

  it('refuses what it cannot read in one go, and zones and steps that there are not', async () => {
    const run = await filled([]);
    const input = { metric: 'm', from: time('05-04T00:00:00'), to: time('05-11T00:00:00'), step: { minutes: 1 } };
    for (const wrong of [
      {},
      { step: { minutes: 7 } },
      { step: 'day', timeZone: 'Mars/Phobos' },
      { step: 'day', timeZone: '+02:00' },
      // Abbreviations to PostgreSQL, which means other times by them.
      { step: 'day', timeZone: 'CET' },
      { step: 'day', timeZone: 'IST' },
      { step: 'day', to: input.from },
      { step: 'day', percentiles: [1.1] },
    ] as object[]) {
      const error = (await failureOf(run((tx) => readSeries(tx, { ...input, ...wrong })))) as DomainError;
      expect(error.code).toBe('invalid_input');
    }
    expect(await run((tx) => readSeries(tx, { ...input, step: 'week' }))).toMatchObject([{ n: 0 }]);
  });
});

describe('readSummary and listTopSubjects', () => {
  const events: Event[] = Array.from({ length: 600 }, (_, n) => ({
    subject: `s${n % 5}`,
    metric: 'm',
    value: (n % 5) * 100 + (n % 97),
    // Five days, so that a window is minutes, hours, days, hours and minutes.
    at: new Date(time('05-01T00:00:00').getTime() + n * 719_000),
    labels: { parity: n % 2 === 0 ? 'even' : 'odd' },
  }));
  const window = { from: time('05-01T10:17:00'), to: time('05-04T07:43:00') };
  const inWindow = events.filter(({ at }) => at >= window.from && at < window.to);
  const seconds = (window.to.getTime() - window.from.getTime()) / 1_000;
  let run: Awaited<ReturnType<typeof filled>>;
  beforeAll(async () => {
    run = await filled(events);
  });

  it('sums a window up from days, hours and minutes as from the values themselves', async () => {
    const summary = await run((tx) => readSummary(tx, { metric: 'm', ...window, percentiles: shares }));
    expectStatistics(
      summary,
      inWindow.map(({ value }) => value),
      shares,
      seconds,
    );
    const odd = await run((tx) =>
      readSummary(tx, { metric: 'm', subject: 's1', labels: { parity: 'odd' }, ...window }),
    );
    expect(odd.n).toBe(
      inWindow.filter(({ subject, labels }) => subject === 's1' && labels?.['parity'] === 'odd').length,
    );
  });

  it('merges in plain SQL by the formulas of the README to what it reads', async () => {
    const days = { from: time('05-01T00:00:00'), to: time('05-06T00:00:00') };
    const summary = await run((tx) => readSummary(tx, { metric: 'm', ...days, percentiles: [0.5] }));
    const [plain] = await run((tx) =>
      tx.execute<{ n: number; mean: number; variance: number; median: number }>(sql`
        with part as (
          select n, mean, m2, histogram_keys, histogram_counts from ml_telemetry_aggregates where grain = 'day'
        ), whole as (
          select sum(n) as n, sum(n * mean) / sum(n) as mean from part
        ), bucket as (
          select k, sum(sum(count)) over (order by k) as upto
            from part, unnest(histogram_keys, histogram_counts) as h (k, count)
           group by k
        )
        select n::float8, mean,
               (select sum(m2 + p.n * (p.mean - whole.mean) ^ 2) from part p) / (n - 1)::float8 as variance,
               (select case when k = 0 then 0 else sign(k) * exp((abs(k) - 40000) * ln(1.01::float8 / 0.99)) * 0.99 end
                  from bucket where upto > floor(0.5 * (whole.n - 1)) order by k limit 1) as median
          from whole`),
    );
    expect(plain?.n).toBe(summary.n);
    expect(plain?.mean).toBeCloseTo(summary.mean ?? Number.NaN, 9);
    expect(plain?.variance).toBeCloseTo(summary.variance ?? Number.NaN, 6);
    expect(plain?.median).toBeCloseTo(summary.percentiles[0] ?? Number.NaN, 9);
  });

  it('widens a window to whole minutes, and is 0 where nothing is known', async () => {
    const at = events[0]?.at ?? now;
    const summary = await run((tx) =>
      readSummary(tx, { metric: 'm', from: new Date(at.getTime() + 1), to: new Date(at.getTime() + 2) }),
    );
    expect(summary).toMatchObject({ n: 1, from: at, to: new Date(at.getTime() + 60_000), perSecond: 1 / 60 });
    expect(await run((tx) => readSummary(tx, { metric: 'none', ...window }))).toMatchObject({
      n: 0,
      mean: null,
      perSecond: 0,
    });
  });

  it.each([
    ['n', undefined],
    ['sum', (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)],
    ['mean', (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length],
    ['max', (values: readonly number[]) => Math.max(...values)],
    ['min', (values: readonly number[]) => Math.min(...values)],
    [{ percentile: 0.9 }, (values: readonly number[]) => exactPercentile(values, 0.9)],
  ] as const)('lists the subjects that come first by %j, both ways', async (by, score) => {
    const subjects = ['s0', 's1', 's2', 's3', 's4'];
    const valuesOf = (subject: string) =>
      inWindow.filter((event) => event.subject === subject).map(({ value }) => value);
    const expected = subjects.toSorted(
      (one, other) => (score ?? ((v) => v.length))(valuesOf(other)) - (score ?? ((v) => v.length))(valuesOf(one)),
    );
    const top = await run((tx) => listTopSubjects(tx, { metric: 'm', ...window, by, limit: 3, percentiles: [0.5] }));
    expect(top.map(({ subject }) => subject)).toEqual(expected.slice(0, 3));
    for (const { subject, ...statistics } of top) expectStatistics(statistics, valuesOf(subject), [0.5], seconds);
    if (score === undefined) return;
    const bottom = await run((tx) => listTopSubjects(tx, { metric: 'm', ...window, by, direction: 'asc' }));
    expect(bottom.map(({ subject }) => subject)).toEqual(expected.toReversed());
  });
});
