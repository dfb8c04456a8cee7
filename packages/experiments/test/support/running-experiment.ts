import { freshTenant } from '@mcp-hub/testing';
import {
  type CreateExperimentInput,
  type ExperimentDefinition,
  type ExperimentStatus,
  getExperiment,
  transitionExperiment,
} from '../../src/index.ts';
import { checkout, drafted } from './experiment-inputs.ts';
import type { Experiments } from './use-experiments.ts';

/** An experiment that runs, in a tenant of its own. */
export async function runningExperiment(
  experiments: Experiments,
  changes: Partial<CreateExperimentInput> = {},
  tenant: string = freshTenant(),
): Promise<{ readonly tenant: string; readonly key: string; readonly definition: ExperimentDefinition }> {
  const { key } = await drafted(experiments, tenant, changes);
  await moveTo(experiments, tenant, 'running', key);
  return { tenant, key, definition: await experiments.run(tenant, (tx) => getExperiment(tx, { key })) };
}

export const moveTo = (
  experiments: Experiments,
  tenant: string,
  status: ExperimentStatus,
  key: string = checkout.key,
) => experiments.run(tenant, (tx) => transitionExperiment(tx, { key, status }));

export const manyUnits = (count: number, prefix = 'user') => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
