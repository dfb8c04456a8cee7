import { newId } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { QueryBuilder } from 'drizzle-orm/pg-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  abOutcomes,
  listExposureTransitions,
  pruneOutcomes,
  readAnalysisInput,
  recordExposures,
  recordExposuresFrom,
  recordOutcomes,
  recordOutcomesFrom,
  refreshUnits,
} from '../../src/index.ts';
import { insertExperiment } from '../support/insert-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const [owner, other] = [freshTenant(), freshTenant()];
const now = new Date('2026-05-04T12:00:00Z');
const before = new Date('2026-05-04T11:00:00Z');
const id = newId(before);
let experimentId = '';

const seen = new QueryBuilder()
  .select({
    unit: sql<string>`'u'`.as('unit'),
    variant: sql<string>`'a'`.as('variant'),
    at: sql<Date>`app_now()`.as('at'),
  })
  .from(sql`(values (1)) v (n)`)
  .as('rows');

beforeAll(async () => {
  await experiments.run(
    owner,
    async (tx) => {
      ({ experimentId } = await insertExperiment(tx, 'e', ['a', 'b'], [{ outcome: 'spent' }]));
      const exposures = ['a', 'b'].map((variant) => ({ experiment: 'e', unit: 'u', variant, at: before }));
      await recordExposures(tx, { exposures });
      await recordOutcomes(tx, { outcomes: [{ id, outcome: 'spent', unit: 'u' }] });
      await refreshUnits(tx, { experimentId, asOf: now });
    },
    { now },
  );
});

const asOther = <Result>(work: Parameters<typeof experiments.run<Result>>[1]) => experiments.run(other, work, { now });

describe('another tenant', () => {
  it('finds no experiment to expose units to', async () => {
    const exposures = [{ experiment: 'e', unit: 'u', variant: 'a' }];
    expect(await failureOf(asOther((tx) => recordExposures(tx, { exposures })))).toMatchObject({ code: 'not_found' });
    const from = asOther((tx) => recordExposuresFrom(tx, { experiment: 'e', rows: seen }));
    expect(await failureOf(from)).toMatchObject({ code: 'not_found' });
  });

  it('may have an outcome of the same id', async () => {
    const outcomes = [{ id, outcome: 'mine', unit: 'mine' }];
    expect(await asOther((tx) => recordOutcomes(tx, { outcomes }))).toEqual({ recorded: 1, repeated: 0 });
    expect(await asOther((tx) => recordOutcomesFrom(tx, { outcome: 'mine', rows: seen }))).toMatchObject({
      recorded: 1,
    });
  });

  it('sees no way of a unit, and prunes no outcome', async () => {
    expect(await asOther((tx) => listExposureTransitions(tx, { experimentId, unit: 'u' }))).toEqual([]);
    await pruneOutcomes(experiments.db, other, { before: new Date('2027-01-01Z') });
    expect(await experiments.run(owner, (tx) => tx.select().from(abOutcomes))).toHaveLength(1);
  });

  it('can neither refresh nor read the experiment, as one that does not exist', async () => {
    for (const named of [experimentId, newId()]) {
      const input = { experimentId: named, asOf: now };
      for (const work of [
        () => asOther((tx) => refreshUnits(tx, input)),
        () => asOther((tx) => readAnalysisInput(tx, input)),
        () => asOther((tx) => readAnalysisInput(tx, { ...input, full: true })),
      ]) {
        expect(await failureOf(work())).toMatchObject({
          code: 'not_found',
          message: 'There is no such experiment. Check its id.',
        });
      }
    }
  });
});
