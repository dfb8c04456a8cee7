import { type DomainError, type TenantTx } from '@mcp-hub/db-core';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { recordExposures } from '../../src/index.ts';
import { insertExperiment } from '../support/insert-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const now = new Date('2026-05-04T12:00:00Z');
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

interface Row extends Record<string, unknown> {
  readonly unit: string;
  readonly variant: string;
}

const rowsOf = (tx: TenantTx) =>
  tx.execute<Row>(sql`
    select e.unit, v.key as variant, e.first_at::text, e.last_at::text, e.count, e.slices
      from ab_exposures e join ab_variants v on v.id = e.variant_id order by 1, 2`);

const exposure = (unit: string, variant: string, minutes: number, slices?: Record<string, string>) => ({
  experiment: 'button',
  unit,
  variant,
  at: at(minutes),
  ...(slices === undefined ? {} : { slices }),
});

describe('recordExposures', () => {
  it('keeps the first and last time and the count of a unit and variant, whatever the order of arrival', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => insertExperiment(tx, 'button'), { now });
    const batches = [
      [exposure('u', 'a', -5, { country: 'de' }), exposure('u', 'a', -3, { country: 'fr' })],
      [exposure('u', 'a', -9, { country: 'it' })],
      [exposure('u', 'a', -1)],
    ];
    for (const exposures of batches) {
      await experiments.run(tenant, (tx) => recordExposures(tx, { exposures }), { now });
    }
    expect(await experiments.run(tenant, rowsOf)).toMatchObject([{ unit: 'u', count: 4, slices: { country: 'it' } }]);
    const [row] = await experiments.run(tenant, rowsOf);
    expect([row?.['first_at'], row?.['last_at']]).toEqual(['2026-05-04 11:51:00+00', '2026-05-04 11:59:00+00']);
  });

  it('takes the time of the transaction where none is given, also beside others', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => insertExperiment(tx, 'button'), { now });
    const exposures = [{ experiment: 'button', unit: 'u', variant: 'a' }, exposure('u', 'a', 30)];
    await experiments.run(tenant, (tx) => recordExposures(tx, { exposures }), { now });
    const [row] = await experiments.run(tenant, rowsOf);
    expect([row?.['first_at'], row?.['last_at']]).toEqual(['2026-05-04 12:00:00+00', '2026-05-04 12:30:00+00']);
  });

  it('says which exposure names an experiment or variant that is not there, and writes none', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => insertExperiment(tx, 'button'), { now });
    for (const [bad, field] of [
      [{ ...exposure('u', 'c', 0) }, 'exposures[1].variant'],
      [{ ...exposure('u', 'a', 0), experiment: 'none' }, 'exposures[1].experiment'],
    ] as const) {
      const failed = experiments.run(tenant, (tx) => recordExposures(tx, { exposures: [exposure('u', 'a', 0), bad] }), {
        now,
      });
      expect((await failureOf(failed)) as DomainError).toMatchObject({
        code: 'not_found',
        details: { field, index: 1 },
      });
    }
    const ahead = experiments.run(tenant, (tx) => recordExposures(tx, { exposures: [exposure('u', 'a', 61)] }), {
      now,
    });
    expect(await failureOf(ahead)).toMatchObject({ code: 'invalid_input', details: { field: 'exposures[0].at' } });
    expect(await experiments.run(tenant, rowsOf)).toEqual([]);
  });

  it('counts once what comes again with its idempotency key', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => insertExperiment(tx, 'button'), { now });
    const input = {
      exposures: [exposure('u', 'a', 0), exposure('v', 'b', 0, { country: 'de' })],
      idempotencyKey: 'one',
    };
    for (let n = 0; n < 2; n += 1) {
      const recorded = await experiments.run(tenant, (tx) => recordExposures(tx, input), { now });
      expect(recorded).toEqual({ recorded: 2, newUnits: 2 });
    }
    expect((await experiments.run(tenant, rowsOf)).map((row) => row['count'])).toEqual([1, 1]);
    const other = { ...input, exposures: [exposure('u', 'a', 1)] };
    expect(await failureOf(experiments.run(tenant, (tx) => recordExposures(tx, other), { now }))).toMatchObject({
      code: 'conflict',
    });
  });

  it('does not deadlock with another that records the same units in another order', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => insertExperiment(tx, 'button'), { now });
    const units = Array.from({ length: 300 }, (_, n) => `unit ${n}`);
    const start = barrier(6);
    await Promise.all(
      Array.from({ length: 6 }, (_, client) =>
        experiments.run(
          tenant,
          async (tx) => {
            await tx.execute(sql`select 1`);
            start.arrive();
            await start.passed;
            const order = client % 2 === 0 ? units : units.toReversed();
            const exposures = order.map((unit, n) => exposure(unit, n % 3 === 0 ? 'a' : 'b', -client));
            await recordExposures(tx, { exposures });
          },
          { now },
        ),
      ),
    );
    const rows = await experiments.run(tenant, rowsOf);
    expect(rows.reduce((sum, row) => sum + Number(row['count']), 0)).toBe(1_800);
    expect(
      rows.every((row) => ['2026-05-04 11:55:00+00', '2026-05-04 11:56:00+00'].includes(String(row['first_at']))),
    ).toBe(true);
  });
});
