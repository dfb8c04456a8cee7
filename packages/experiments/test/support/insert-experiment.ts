import { type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { abExperiments, abMetrics, abVariants } from '../../src/schema.ts';

type NewMetric = Partial<typeof abMetrics.$inferInsert> & Pick<typeof abMetrics.$inferInsert, 'outcome'>;

export interface InsertedExperiment {
  readonly experimentId: string;
  /** By their keys. */
  readonly variants: Readonly<Record<string, string>>;
  /** In the order in which they were given. */
  readonly metricIds: readonly string[];
}

/** An experiment by its rows, for tests of what is recorded and counted. */
export async function insertExperiment(
  tx: TenantTx,
  key: string,
  variants: readonly string[] = ['a', 'b'],
  metrics: readonly NewMetric[] = [],
): Promise<InsertedExperiment> {
  const tenantId = tenantOf(tx);
  const [experiment] = await tx
    .insert(abExperiments)
    .values({ tenantId, key, hypothesis: 'It is better.', seed: key, status: 'running' })
    .returning();
  if (experiment === undefined) throw new Error('An insert gives its row');
  const made = await tx
    .insert(abVariants)
    .values(
      variants.map((name, n) => ({
        tenantId,
        experimentId: experiment.id,
        key: name,
        position: n,
        isControl: n === 0,
      })),
    )
    .returning();
  const metricIds: string[] = [];
  for (const [position, metric] of metrics.entries()) {
    const values = { key: `metric ${position}`, role: 'secondary', kind: 'mean', ...metric } as const;
    const [row] = await tx
      .insert(abMetrics)
      .values({ tenantId, experimentId: experiment.id, position, ...values })
      .returning();
    metricIds.push(row?.id ?? '');
  }
  return {
    experimentId: experiment.id,
    variants: Object.fromEntries(made.map((variant) => [variant.key, variant.id])),
    metricIds,
  };
}
