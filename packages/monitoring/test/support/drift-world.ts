import { newId, type TenantTx } from '@mcp-hub/db-core';
import { recordPredictions } from '@mcp-hub/predictions';
import { registerVersion } from '@mcp-hub/registry';
import { mulberry32 } from '@mcp-hub/stats';

export const DAY_MS = 86_400_000;
/** Midnight, UTC. */
export const start = new Date('2026-05-04T00:00:00Z');
/** Noon of a day after the start: the transaction's time that predictions of it are recorded at. */
export const noonOf = (day: number) => new Date(start.getTime() + day * DAY_MS + DAY_MS / 2);
export const nameOfDay = (day: number) => new Date(start.getTime() + day * DAY_MS).toISOString().slice(0, 10);

export const makeVersion = async (tx: TenantTx): Promise<string> => (await registerVersion(tx, { name: 'churn' })).id;

export interface Traffic {
  readonly shift?: number;
  readonly missing?: number;
  readonly plan?: (random: () => number) => string;
  readonly seed?: number;
}

/** Predictions of one day, spread over it. */
export function trafficOf(day: number, count: number, traffic: Traffic = {}) {
  const { shift = 0, missing = 0, plan = (random) => (random() < 0.5 ? 'monthly' : 'yearly'), seed = 0 } = traffic;
  const random = mulberry32(1_000 * seed + day);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, (_, n) => ({
    id: newId(new Date(start.getTime() + day * DAY_MS + Math.floor((n * DAY_MS) / count))),
    subject: `${seed} ${day} ${n}`,
    label: random() < 0.3 ? 'leaves' : 'stays',
    score: random(),
    features: {
      ...(random() < missing ? {} : { tenure: normal() + shift }),
      age: normal(),
      plan: plan(random),
    },
  }));
}

export async function recordDay(tx: TenantTx, versionId: string, day: number, count: number, traffic: Traffic = {}) {
  await recordPredictions(tx, { versionId, predictions: trafficOf(day, count, traffic) });
}
