import type { TenantTx } from '@mcp-hub/db-core';
import { evaluateBinary } from '@mcp-hub/evaluation';
import { recordLabels, recordPredictions } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import * as exported from '../../src/index.ts';

// The functions of baselines, profiles, drift and performance: the world that they are called in, and their inputs there.
// Isolation and the README's table are held against all of them. Rules and alerts have theirs beside their tests.

/** Exports that take nothing, or a pool, in the place of a transaction. */
export const withoutTransaction: readonly string[] = ['profilesHandler'];

type Callable = (tx: TenantTx, input: unknown) => unknown;

export async function callFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  return await (found as Callable)(tx, input);
}

/** What a caller can name. */
export interface World {
  readonly model: string;
  readonly versionId: string;
  readonly evaluationId: string;
  readonly checkId: string;
}

export const at = new Date('2026-05-14T10:20:30.456Z');
const dayOf = (day: number) => new Date(Date.UTC(2026, 4, day, 12));
const window = { fromDay: '2026-05-04', toDay: '2026-05-04' };

/** Entered at the time above. */
export async function makeWorld(tx: TenantTx): Promise<World> {
  const model = 'm';
  const { id: versionId } = await registerVersion(tx, { name: model });
  const predictions = [4, 5].flatMap((day) =>
    Array.from({ length: 20 }, (_, n) => ({
      ...{ at: dayOf(day), subject: `${day} ${n}`, label: n % 2 === 0 ? 'yes' : 'no', score: (n % 10) / 10 },
      features: { x: n, origin: n % 2 === 0 ? 'SFO' : 'JFK' },
    })),
  );
  await recordPredictions(tx, { versionId, predictions });
  const labels = predictions.map(({ subject, label }) => ({ subject, label, observedAt: dayOf(6) }));
  await recordLabels(tx, { name: model, labels });
  const { id: evaluationId } = await evaluateBinary(tx, {
    ...{ versionId, dataset: { name: 'd', digest: 'sha256:1' } },
    ...{
      labels: predictions.map(({ label }) => Number(label === 'yes')),
      scores: predictions.map(({ score }) => score),
    },
  });
  await exported.createBaseline(tx, { versionId, window: { from: dayOf(1), to: dayOf(9) } });
  for (let more = true; more; ) more = (await exported.refreshProfiles(tx)).more;
  const { id: checkId } = await exported.checkDrift(tx, { versionId, ...window });
  await exported.checkPerformance(tx, {
    versionId,
    ...window,
    positiveLabel: 'yes',
    ageMs: 6 * 86_400_000,
    minLabelled: 10,
  });
  // What refreshProfiles has to do.
  await recordPredictions(tx, { versionId, predictions: [{ at: dayOf(7), features: { x: 1 } }] });
  return { model, versionId, evaluationId, checkId };
}

const nobodysId = '01890000-0000-7000-8000-000000000000';

/** What nobody has, in the place of what the world has. */
export const nobodys: World = {
  ...{ model: 'nobodys', versionId: nobodysId, evaluationId: nobodysId, checkId: nobodysId },
};

/** An input for each function that names what is in the world. */
export function inputsIn({ versionId, evaluationId, checkId }: World): Readonly<Record<string, unknown>> {
  return {
    auditEstimates: { versionId, metric: 'accuracy' },
    checkDrift: { versionId, ...window },
    checkPerformance: { versionId, evaluationId, ...window, positiveLabel: 'yes' },
    createBaseline: { versionId, window: { from: dayOf(1), to: dayOf(9) } },
    explainDrift: { checkId, field: 'feature', name: 'x' },
    getBaseline: { versionId },
    listBaselines: { versionId },
    listDrift: { versionId },
    listPerformance: { versionId },
    readLabelMaturity: { versionId, from: dayOf(1), to: dayOf(9) },
    refreshProfiles: { versionId },
    removeMonitoring: { versionId },
  };
}

export const functionNames = Object.keys(inputsIn(nobodys)).sort();
