import { newId } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { abOutcomes, pruneOutcomes, readAnalysisInput, recordExposures, recordOutcomes } from '../../src/index.ts';
import { insertExperiment } from '../support/insert-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const now = new Date('2026-05-04T12:00:00Z');
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

describe('recordOutcomes', () => {
  it('records an event once however often it is sent, and refuses its id with other content', async () => {
    await experiments.run(
      freshTenant(),
      async (tx) => {
        const outcomes = [5, 3, 4].map((minutes) => ({
          id: newId(at(-minutes)),
          outcome: 'spent',
          unit: 'u',
          value: minutes,
        }));
        expect(await recordOutcomes(tx, { outcomes })).toEqual({ recorded: 3, repeated: 0 });
        expect(await recordOutcomes(tx, { outcomes: outcomes.toReversed() })).toEqual({ recorded: 0, repeated: 3 });
        const [, second] = outcomes;
        const other = recordOutcomes(tx, {
          outcomes: [...outcomes.slice(2), { ...second, value: 9, outcome: 'spent', unit: 'u' }],
        });
        expect(await failureOf(other)).toMatchObject({
          code: 'conflict',
          details: { field: 'outcomes[1].id', index: 1 },
        });
      },
      { now },
    );
  });

  it('does so of many, whether none, some or all were sent before, or one twice in a call', async () => {
    await experiments.run(
      freshTenant(),
      async (tx) => {
        const made = (count: number) =>
          Array.from({ length: count }, (_, n) => ({
            id: newId(at(-1 - n / 600)),
            outcome: 'spent',
            unit: `u ${n}`,
            value: n,
          }));
        const [known, fresh] = [made(600), made(600)];
        expect(await recordOutcomes(tx, { outcomes: known })).toEqual({ recorded: 600, repeated: 0 });
        expect(await recordOutcomes(tx, { outcomes: known })).toEqual({ recorded: 0, repeated: 600 });
        // The ends and the middle of the call are new, so that it is taken for new.
        const mixed = [...fresh, ...known.slice(100, 110)];
        expect(await recordOutcomes(tx, { outcomes: mixed })).toEqual({ recorded: 600, repeated: 10 });
        const twice = made(600);
        expect(await recordOutcomes(tx, { outcomes: [...twice, ...twice.slice(7, 9)] })).toEqual({
          recorded: 600,
          repeated: 2,
        });
        const other = recordOutcomes(tx, {
          outcomes: [...made(600), ...known.slice(100, 101).map((outcome) => ({ ...outcome, value: -1 }))],
        });
        expect(await failureOf(other)).toMatchObject({ code: 'conflict', details: { index: 600 } });
      },
      { now },
    );
  });

  it('takes 1 and the time of the transaction where nothing else is said', async () => {
    await experiments.run(
      freshTenant(),
      async (tx) => {
        await recordOutcomes(tx, { outcomes: [{ outcome: 'bought', unit: 'ü' }] });
        expect(await tx.select().from(abOutcomes)).toMatchObject([{ unit: 'ü', value: 1, occurredAt: now }]);
      },
      { now },
    );
  });

  it('names the outcome that is wrong', async () => {
    await experiments.run(
      freshTenant(),
      async (tx) => {
        const good = { outcome: 'spent', unit: 'u', at: at(-1) };
        for (const [bad, field] of [
          [{ ...good, value: Number.NaN }, 'outcomes[1].value'],
          [{ ...good, value: 2e140 }, 'outcomes[1].value'],
          [{ ...good, unit: ' u' }, 'outcomes[1].unit'],
          [{ ...good, at: at(61) }, 'outcomes[1].at'],
          [{ ...good, at: new Date('1999-12-31Z') }, 'outcomes[1].at'],
          [{ ...good, id: newId(at(-2)) }, 'outcomes[1].id'],
        ] as const) {
          expect(await failureOf(recordOutcomes(tx, { outcomes: [good, bad] }))).toMatchObject({
            code: 'invalid_input',
            details: { field },
          });
        }
        expect(await tx.select().from(abOutcomes)).toEqual([]);
      },
      { now },
    );
  });
});

describe('pruneOutcomes', () => {
  it('deletes in batches, and the next analysis counts what is left', async () => {
    const tenant = freshTenant();
    const experimentId = await experiments.run(
      tenant,
      async (tx) => {
        const made = await insertExperiment(tx, 'e', ['a', 'b'], [{ outcome: 'spent' }]);
        await recordExposures(tx, { exposures: [{ experiment: 'e', unit: 'u', variant: 'a', at: at(-20) }] });
        const outcomes = [9, 8, 7, 2].map((minutes) => ({ outcome: 'spent', unit: 'u', at: at(-minutes) }));
        await recordOutcomes(tx, { outcomes });
        expect((await readAnalysisInput(tx, { experimentId: made.experimentId, asOf: now })).outcomes).toBe(4);
        return made.experimentId;
      },
      { now },
    );
    expect(await pruneOutcomes(experiments.db, tenant, { before: at(-5), batchSize: 2 })).toBe(3);
    await experiments.run(tenant, async (tx) => {
      const refreshed = await readAnalysisInput(tx, { experimentId, asOf: now });
      expect(refreshed.outcomes).toBe(1);
      expect(refreshed).toStrictEqual(await readAnalysisInput(tx, { experimentId, asOf: now, full: true }));
    });
  });
});
