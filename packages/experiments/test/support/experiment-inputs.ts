import type { TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import {
  type CreateExperimentInput,
  createExperiment,
  type ExperimentEvent,
  listExperimentEvents,
} from '../../src/index.ts';
import type { Experiments } from './use-experiments.ts';

/** An experiment that can be started. */
export const checkout: CreateExperimentInput = {
  key: 'checkout',
  hypothesis: 'A shorter form is finished more often.',
  variants: [{ key: 'long' }, { key: 'short' }],
  metrics: [{ key: 'bought', role: 'primary', kind: 'proportion' }],
};

/** The above with changes, as a draft of the tenant. */
export const drafted = (experiments: Experiments, tenant: string, changes: Partial<CreateExperimentInput> = {}) =>
  experiments.run(tenant, (tx: TenantTx) => createExperiment(tx, { ...checkout, ...changes }));

/** The events of an experiment, the first first. */
export async function historyOf(
  experiments: Experiments,
  tenant: string,
  experimentId: string,
): Promise<readonly ExperimentEvent[]> {
  const { items } = await experiments.run(tenant, (tx) => listExperimentEvents(tx, { experimentId }));
  return items.toReversed();
}

/** What was announced of experiments, in order. */
export const announcedOf = (experiments: Experiments, tenant: string) =>
  experiments.run(tenant, async (tx) => [
    ...(await tx.execute<{ topic: string; subject_id: string; payload: Record<string, unknown> }>(
      sql`select topic, subject_id, payload from outbox_events where topic like 'experiment.%' order by id`,
    )),
  ]);
