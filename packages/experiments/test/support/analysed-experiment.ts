import type { TenantTx } from '@mcp-hub/db-core';
import {
  type AnalysisDefinition,
  type AnalysisInput,
  type CreateExperimentInput,
  createExperiment,
  transitionExperiment,
} from '../../src/index.ts';
import { readAnalysisDefinition } from '../../src/snapshots/read-analysis-definition.ts';
import type { SnapshotId } from '../../src/snapshots/snapshot.ts';
import { storeSnapshot } from '../../src/snapshots/store-snapshot.ts';
import { inputOf, type TestUnit } from './units.ts';

/** An experiment that runs, with a metric of each kind that sums are kept of. */
export async function startedExperiment(
  tx: TenantTx,
  given: Partial<CreateExperimentInput> = {},
): Promise<{ readonly experimentId: string; readonly definition: AnalysisDefinition }> {
  const { id: experimentId } = await createExperiment(tx, {
    key: 'checkout',
    hypothesis: 'A shorter form is finished more often.',
    variants: [{ key: 'long' }, { key: 'short' }],
    metrics: [
      { key: 'revenue', role: 'primary', kind: 'mean', cupedMs: 86_400_000 },
      { key: 'bought', role: 'secondary', kind: 'proportion' },
      { key: 'per order', role: 'secondary', kind: 'ratio', outcome: 'revenue', denominator: 'orders' },
      { key: 'latency', role: 'guardrail', kind: 'quantile', quantile: 0.5, direction: 'decrease' },
    ],
    minimumUnits: 20,
    ...given,
  });
  await transitionExperiment(tx, { experimentId, status: 'running' });
  return { experimentId, definition: (await readAnalysisDefinition(tx, { experimentId })).definition };
}

/** Some 100 units an arm and day, of two countries; the treatment gains `gain`. */
export function someUnits(definition: AnalysisDefinition, days: number, gain = 0.4): readonly TestUnit[] {
  return Array.from({ length: days * 200 }, (_, i) => {
    const at = i % 2;
    const spread = ((i * 37) % 17) / 10;
    return {
      variant: definition.variants[at]?.id ?? '',
      day: `2026-05-${String(1 + Math.floor(i / 200)).padStart(2, '0')}`,
      country: i % 3 === 0 ? 'de' : 'fr',
      y: {
        revenue: spread + at * gain + 0.1 / 3,
        bought: i % 5 === 0 ? 1 : 0,
        'per order': spread,
        latency: spread * 100,
      },
      x: { revenue: spread / 2 + ((i * 11) % 7) / 10, 'per order': 1 + (i % 2) },
    };
  });
}

/** Keeps a snapshot of units that were read as of a time. */
export async function snapshotOf(
  tx: TenantTx,
  experimentId: string,
  units: readonly TestUnit[],
  given: Partial<AnalysisInput> = {},
): Promise<SnapshotId> {
  const read = await readAnalysisDefinition(tx, { experimentId });
  return await storeSnapshot(tx, read, inputOf(read.definition, units, given));
}
