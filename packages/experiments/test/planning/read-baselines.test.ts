import { coMomentsOf } from '@mcp-hub/stats';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Baselines, planExperiment, type ReadBaselinesInput, readBaselines } from '../../src/index.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();

interface Row {
  readonly outcome: string;
  readonly unit: string;
  readonly value: number;
  /** Days from the start of the time. */
  readonly day: number;
}
const DAY = 86_400_000;
const from = new Date('2026-03-01Z');
const dayAt = (day: number) => new Date(from.getTime() + day * DAY);
const now = new Date('2026-05-01Z');

/** Reads baselines of rows that lie in no table. */
async function baselinesOf(
  rows: readonly Row[],
  input: Omit<ReadBaselinesInput, 'rows' | 'columns' | 'entry' | 'from'>,
): Promise<Baselines> {
  return await experiments.run(
    freshTenant(),
    async (tx) => {
      const given = JSON.stringify(rows.map(({ day, ...row }) => ({ ...row, at: dayAt(day) })));
      const table = tx
        .select({
          outcome: sql<string>`outcome`.as('outcome'),
          unit: sql<string>`unit`.as('unit'),
          value: sql<number>`value`.as('value'),
          at: sql<Date>`at`.as('at'),
        })
        .from(
          sql`jsonb_to_recordset(${given}::text::jsonb) as given (outcome text, unit text, value float8, at timestamptz)`,
        )
        .as('rows');
      const { outcome, unit, value, at } = table;
      return await readBaselines(tx, {
        rows: table,
        columns: { outcome, unit, value, at },
        entry: 'visit',
        from,
        ...input,
      });
    },
    { now },
  );
}

const visit = (unit: string, day: number): Row => ({ outcome: 'visit', unit, value: 1, day });
const paid = (unit: string, day: number, value = 1): Row => ({ outcome: 'paid', unit, value, day });
const week = { windowMs: 7 * DAY };

describe('readBaselines', () => {
  it('counts outcomes from the first entry on, for as long as the window is, and units without any', async () => {
    const { units, unitsPerDay, metrics } = await baselinesOf(
      [
        ...[visit('a', 0), visit('a', 3), paid('a', 1, 10), paid('a', 6.9, 5), paid('a', 7, 100)],
        ...[visit('b', 2), paid('b', 1, 7), paid('b', 2, 3)],
        ...[visit('c', 9.9), visit('d', 9.9), paid('d', 16.8, 2)],
        // Not of this time, and one that never entered.
        ...[visit('e', -1), paid('e', 1), visit('f', 10), paid('f', 10), paid('g', 4)],
      ],
      {
        to: dayAt(10),
        metrics: [
          { key: 'paid', kind: 'mean', ...week },
          { key: 'bought', outcome: 'paid', kind: 'proportion', ...week },
          { key: 'later', outcome: 'paid', kind: 'mean', delayMs: DAY, ...week },
          { key: 'nothing', kind: 'mean' },
        ],
      },
    );
    expect([units, unitsPerDay]).toEqual([4, 0.4]);
    expect(metrics).toMatchObject([
      { key: 'paid', kind: 'mean', baseline: { mean: 5, covariateCorrelation: 0 }, completeAfterMs: 7 * DAY },
      { key: 'bought', kind: 'proportion', baseline: { mean: 0.75 } },
      { key: 'later', baseline: { mean: (10 + 5 + 100 + 2) / 4 }, completeAfterMs: 8 * DAY },
      { key: 'nothing', baseline: { mean: 0, variance: 0 }, completeAfterMs: 0 },
    ]);
    expect(metrics[0]?.baseline.variance).toBeCloseTo(((15 - 5) ** 2 + (3 - 5) ** 2 + 5 ** 2 + (2 - 5) ** 2) / 3, 9);
  });

  it('without a window counts until the end of the time', async () => {
    const rows = [visit('a', 0), visit('b', 1), paid('a', 9.9, 4), paid('a', 10, 9)];
    const { metrics } = await baselinesOf(rows, { to: dayAt(10), metrics: [{ key: 'paid', kind: 'mean' }] });
    expect(metrics[0]?.baseline.mean).toBe(2);
  });

  it('gives mean, variance and correlation with what was before as two passes over the units do', async () => {
    const unit = fc.record({
      before: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 2 }),
      after: fc.integer({ min: -5, max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(unit, { minLength: 2, maxLength: 12 }), async (units) => {
        const rows = units.flatMap(({ before, after }, n) => [
          visit(`u${n}`, n / 10),
          ...before.map((value) => paid(`u${n}`, n / 10 - 2, value)),
          ...(after === 0 ? [] : [paid(`u${n}`, n / 10 + 1, after)]),
        ]);
        const { metrics } = await baselinesOf(rows, {
          to: dayAt(2),
          metrics: [
            { key: 'paid', kind: 'mean', ...week, cupedMs: 3 * DAY },
            { key: 'any', outcome: 'paid', kind: 'proportion', ...week, cupedMs: 3 * DAY },
          ],
        });
        const sums = units.map(({ before }) => before.reduce((sum, value) => sum + value, 0));
        const expected = [
          coMomentsOf(
            sums,
            units.map(({ after }) => after),
          ),
          coMomentsOf(
            units.map(({ before }) => Number(before.length > 0)),
            units.map(({ after }) => Number(after !== 0)),
          ),
        ];
        expected.forEach(({ n, meanY, m2X, m2Y, cXY }, at) => {
          const { mean, variance, covariateCorrelation } = metrics[at]?.baseline ?? {
            mean: 0,
            variance: 0,
            covariateCorrelation: 0,
          };
          expect(mean).toBeCloseTo(meanY, 9);
          expect(variance).toBeCloseTo(m2Y / (n - 1), 9);
          const isDefined = m2X > 1e-9 && m2Y > 1e-9;
          if (isDefined) expect(covariateCorrelation).toBeCloseTo(cXY / Math.sqrt(m2X * m2Y), 6);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('gives what planExperiment takes', async () => {
    const rows = Array.from({ length: 40 }, (_, n) => [
      visit(`u${n}`, n / 4),
      ...(n % 4 === 0 ? [paid(`u${n}`, n / 4 + 1)] : []),
    ]);
    const { metrics, unitsPerDay } = await baselinesOf(rows.flat(), {
      to: dayAt(10),
      metrics: [{ key: 'paid', kind: 'proportion', ...week }],
    });
    const { needed } = planExperiment({
      ...{ weights: [0.5, 0.5], test: 'fixed', unitsPerDay },
      metrics: metrics.map((metric) => ({ ...metric, minimumEffect: 0.2 })),
    });
    // power.prop.test(p1 = 0.25, p2 = 0.3, power = 0.8): n = 1250.7
    expect(needed.value).toEqual({ units: 2_502, perVariant: [1_251, 1_251], days: Math.ceil(2_502 / 4 + 7) });
  });

  it('refuses a time in which fewer than two units entered, and one whose windows are not over', async () => {
    const metrics = [{ key: 'paid', kind: 'mean', ...week }] as const;
    expect(await failureOf(baselinesOf([visit('a', 1)], { to: dayAt(10), metrics: [...metrics] }))).toMatchObject({
      ...{ code: 'failed_precondition', details: { field: 'entry', units: 1 } },
    });
    const late = baselinesOf([visit('a', 1), visit('b', 2)], { to: dayAt(60), metrics: [...metrics] });
    expect(await failureOf(late)).toMatchObject({ code: 'invalid_input', details: { field: 'to' } });
    const backwards = baselinesOf([], { to: from, metrics: [...metrics] });
    expect(await failureOf(backwards)).toMatchObject({ code: 'invalid_input', details: { field: 'to' } });
  });
});
