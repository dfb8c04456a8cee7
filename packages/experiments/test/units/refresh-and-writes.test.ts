import type { TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { type SQL, sql } from 'drizzle-orm';
import { QueryBuilder } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';
import {
  forceAssignment,
  pruneOutcomes,
  purgeExperimentUnits,
  readAnalysisInput,
  recordExposures,
  recordExposuresFrom,
  recordOutcomes,
  refreshUnits,
  removeForcedAssignment,
  transitionExperiment,
} from '../../src/index.ts';
import { startedExperiment } from '../support/analysed-experiment.ts';
import { type InsertedExperiment, insertExperiment } from '../support/insert-experiment.ts';
import { somebodyWaits } from '../support/somebody-waits.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const now = new Date('2026-05-20T12:00:00Z');
const at = (hours: number) => new Date(Date.UTC(2026, 4, 4, hours));
const asOf = now;

async function inTenant(
  work: (tenant: string, run: (work: (tx: TenantTx) => Promise<unknown>) => Promise<void>) => Promise<void>,
) {
  const tenant = freshTenant();
  await work(tenant, async (inside) => {
    await experiments.run(tenant, inside, { now });
  });
}

const setUp = async (tx: TenantTx): Promise<InsertedExperiment> =>
  await insertExperiment(tx, 'e', ['a', 'b'], [{ outcome: 'spent' }]);

const exposed = (unit: string, variant = 'a') => ({ experiment: 'e', unit, variant, at: at(1) });

const servedWith = (slices: SQL) =>
  new QueryBuilder()
    .select({
      unit: sql<string>`unit`.as('unit'),
      variant: sql<string>`'a'`.as('variant'),
      at: sql<Date>`${at(1).toISOString()}::text::timestamptz`.as('at'),
      slices: sql<unknown>`${slices}`.as('slices'),
    })
    .from(sql`(values ('u', 'de'), ('v', null)) served (unit, country)`)
    .as('rows');

async function look(tx: TenantTx, experimentId: string) {
  const refreshed = await readAnalysisInput(tx, { experimentId, asOf });
  const full = await readAnalysisInput(tx, { experimentId, asOf, full: true });
  expect(refreshed).toStrictEqual(full);
  return refreshed;
}

describe('refreshUnits', () => {
  it('leaves a forced unit out, and takes it in again once it is no longer forced', async () => {
    await inTenant(async (_tenant, run) => {
      let experimentId = '';
      await run(async (tx) => {
        ({ experimentId } = await startedExperiment(tx));
        await recordExposures(tx, {
          exposures: ['u', 'v'].map((unit) => ({ experiment: 'checkout', unit, variant: 'long', at: at(1) })),
        });
        await recordOutcomes(tx, { outcomes: [{ outcome: 'revenue', unit: 'u', at: at(2), value: 7 }] });
      });
      await run(async (tx) => expect(await look(tx, experimentId)).toMatchObject({ units: 2, forcedUnits: 0 }));
      await run((tx) => forceAssignment(tx, { experimentId, unit: 'u', variantKey: 'long' }));
      await run(async (tx) =>
        expect(await look(tx, experimentId)).toMatchObject({ units: 2, forcedUnits: 1, outcomes: 0 }),
      );
      await run((tx) => removeForcedAssignment(tx, { experimentId, unit: 'u' }));
      await run(async (tx) =>
        expect(await look(tx, experimentId)).toMatchObject({ units: 2, forcedUnits: 0, outcomes: 1 }),
      );
    });
  });

  it('sees what its own transaction wrote before', async () => {
    await inTenant(async (_tenant, run) => {
      let made: InsertedExperiment | undefined;
      await run(async (tx) => {
        made = await setUp(tx);
        await recordExposures(tx, { exposures: [exposed('u')] });
        await look(tx, made.experimentId);
      });
      await run(async (tx) => {
        await recordExposures(tx, { exposures: [exposed('v')] });
        await recordOutcomes(tx, { outcomes: [{ outcome: 'spent', unit: 'u', at: at(2), value: 7 }] });
        expect(await look(tx, made?.experimentId ?? '')).toMatchObject({ units: 2, outcomes: 1 });
      });
    });
  });

  it('refuses a time ahead, which would hold up all refreshes until then; a reading of it stores nothing', async () => {
    await inTenant(async (_tenant, run) => {
      await run(async (tx) => {
        const { experimentId } = await setUp(tx);
        await recordExposures(tx, { exposures: [exposed('u')] });
        const later = new Date(now.getTime() + 1);
        const refused = await failureOf(tx.transaction((inner) => refreshUnits(inner, { experimentId, asOf: later })));
        expect(refused).toMatchObject({ code: 'invalid_input', details: { field: 'asOf' } });
        expect(await readAnalysisInput(tx, { experimentId, asOf: new Date('2090-01-01Z') })).toMatchObject({
          units: 1,
        });
        expect(await refreshUnits(tx, { experimentId, asOf: now })).toMatchObject({ changed: 1 });
      });
    });
  });

  it('gives what all that was recorded gives where two begin at once, the first time and later', async () => {
    await inTenant(async (tenant, run) => {
      let made: InsertedExperiment | undefined;
      await run(async (tx) => {
        made = await setUp(tx);
        await recordExposures(tx, { exposures: [exposed('u')] });
      });
      const experimentId = made?.experimentId ?? '';
      for (const unit of ['v', 'w']) {
        let other: Promise<unknown> | undefined;
        await run((tx) => recordExposures(tx, { exposures: [exposed(unit)] }));
        await run(async (tx) => {
          await look(tx, experimentId);
          other = experiments.run(tenant, (second) => look(second, experimentId), { now });
          await somebodyWaits(tx);
        });
        await other;
      }
      await run(async (tx) => expect(await look(tx, experimentId)).toMatchObject({ units: 3 }));
    });
  });

  it('makes all anew in another cluster, whose transactions have lower numbers than the rows', async () => {
    await inTenant(async (_tenant, run) => {
      let made: InsertedExperiment | undefined;
      await run(async (tx) => {
        made = await setUp(tx);
        await recordExposures(tx, { exposures: [exposed('u')] });
        await look(tx, made.experimentId);
      });
      const experimentId = made?.experimentId ?? '';
      await run(async (tx) => {
        await tx.execute(sql`update ab_unit_refreshes set cluster = '1', seen_before = '9000000000000'::xid8`);
        await tx.execute(sql`update ab_exposures set written_by = '9000000000001'::xid8`);
      });
      await run((tx) => recordExposures(tx, { exposures: [exposed('v')] }));
      for (let n = 0; n < 2; n += 1) {
        await run(async (tx) => {
          const { rebuilt, looked } = await refreshUnits(tx, { experimentId, asOf });
          expect({ rebuilt, looked }).toEqual(n === 0 ? { rebuilt: true, looked: 2 } : { rebuilt: false, looked: 1 });
          await look(tx, experimentId);
        });
        await run((tx) => recordExposures(tx, { exposures: [exposed('w')] }));
      }
    });
  });

  it('takes exposures from a query of which an attribute is not known', async () => {
    await inTenant(async (_tenant, run) => {
      await run(async (tx) => {
        const { experimentId } = await setUp(tx);
        const slices = sql`jsonb_build_object('country', country, 'age', 7)`;
        const recorded = await recordExposuresFrom(tx, { experiment: 'e', rows: servedWith(slices) });
        expect(recorded).toEqual({ recorded: 2, newUnits: 2 });
        const { units, metrics } = await look(tx, experimentId);
        expect(units).toBe(2);
        const found = metrics.map(({ slice, sums }) => [slice?.dimension, slice?.value, sums.n]);
        expect(found).toContainEqual(['country', 'de', 1]);
        expect(found).toContainEqual(['age', '7', 2]);
        expect(found.filter(([dimension]) => dimension === 'country')).toHaveLength(1);
      });
    });
  });

  it('takes none where a row has attributes outside the limits, which no sum could be kept of', async () => {
    await inTenant(async (_tenant, run) => {
      await run(async (tx) => {
        await setUp(tx);
        const slices = [
          sql`jsonb_build_object('country', repeat('x', 129))`,
          sql`jsonb_build_object(repeat('x', 65), 'de')`,
          sql`jsonb_build_object('', 'de')`,
          sql`(select jsonb_object_agg('a' || n, 'x') from generate_series(1, 9) n)`,
        ];
        for (const one of slices) {
          const failure = await failureOf(recordExposuresFrom(tx, { experiment: 'e', rows: servedWith(one) }));
          expect(failure).toMatchObject({ code: 'invalid_input', details: { field: 'rows.slices' } });
        }
        expect(await tx.execute(sql`select from ab_exposures`)).toHaveLength(0);
      });
    });
  });
});

describe('pruneOutcomes', () => {
  it('waits for a refresh that began between two of its transactions', async () => {
    await inTenant(async (tenant, run) => {
      let made: InsertedExperiment | undefined;
      await run(async (tx) => {
        made = await setUp(tx);
        await recordExposures(tx, { exposures: [exposed('u')] });
        const outcomes = [2, 3].map((hour) => ({ outcome: 'spent', unit: 'u', at: at(hour), value: 7 }));
        await recordOutcomes(tx, { outcomes });
        await look(tx, made.experimentId);
      });
      const experimentId = made?.experimentId ?? '';
      await pruneOutcomes(experiments.db, tenant, { before: at(3) });
      let pruning: Promise<number> | undefined;
      await run(async (tx) => {
        expect(await look(tx, experimentId)).toMatchObject({ outcomes: 1 });
        pruning = pruneOutcomes(experiments.db, tenant, { before: at(4) });
        await Promise.race([pruning, somebodyWaits(tx)]);
      });
      expect(await pruning).toBe(1);
      await run(async (tx) => expect(await look(tx, experimentId)).toMatchObject({ outcomes: 0 }));
    });
  });
});

describe('purgeExperimentUnits', () => {
  it('leaves an analysis of what is left where it ends in the middle', async () => {
    await inTenant(async (tenant, run) => {
      let experimentId = '';
      await run(async (tx) => {
        ({ experimentId } = await startedExperiment(tx));
        const exposures = ['u', 'v'].map((unit) => ({ experiment: 'checkout', unit, variant: 'long', at: at(1) }));
        await recordExposures(tx, { exposures });
        await look(tx, experimentId);
        await transitionExperiment(tx, { experimentId, status: 'stopped' });
        await transitionExperiment(tx, { experimentId, status: 'archived' });
      });
      // Of assignments there is nothing to delete; of the two exposures one batch takes the first.
      const { signal } = new AbortController();
      let asked = 0;
      Object.defineProperty(signal, 'aborted', { get: () => ++asked > 2 });
      expect(await purgeExperimentUnits(experiments.db, tenant, { experimentId, batchSize: 1, signal })).toBe(1);
      await run(async (tx) => expect(await look(tx, experimentId)).toMatchObject({ units: 1 }));
      expect(await purgeExperimentUnits(experiments.db, tenant, { experimentId })).toBe(2);
      await run(async (tx) => expect(await look(tx, experimentId)).toMatchObject({ units: 0 }));
    });
  });
});
