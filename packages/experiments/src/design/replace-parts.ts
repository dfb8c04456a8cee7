import { type Id, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { inOneFlight } from '../in-one-flight.ts';
import type { ExperimentMetric, ExperimentVariant } from './get-experiment.ts';
import { linkHoldouts } from './link-holdouts.ts';
import { abHoldoutExperiments, abMetrics, abVariants } from './schema.ts';

// Parts of a locked experiment. Each is one flight.

type ExperimentId = Id<'Experiment'>;

const excluded = (column: PgColumn) => sql.raw(`excluded.${column.name}`);

/** Rows that keep their keys keep their ids, so that what refers to them stays. */
export async function replaceVariants(
  tx: TenantTx,
  experimentId: ExperimentId,
  variants: readonly ExperimentVariant[],
): Promise<void> {
  const tenant = tenantOf(tx);
  const keys = textArray(variants.map(({ key }) => key));
  const ofExperiment = and(eq(abVariants.tenantId, tenant), eq(abVariants.experimentId, experimentId));
  await inOneFlight(
    () => tx.delete(abVariants).where(and(ofExperiment, sql`${abVariants.key} <> all (${keys})`)),
    // Out of the way: unique keys on position and control are looked at row by row.
    () =>
      tx
        .update(abVariants)
        .set({ position: sql`-1 - ${abVariants.position}`, isControl: false })
        .where(ofExperiment),
    () =>
      tx
        .insert(abVariants)
        .values(
          variants.map(({ id, key, isControl, modelVersionId, description }, position) => ({
            id,
            experimentId,
            key,
            position,
            isControl,
            modelVersionId,
            description,
          })),
        )
        .onConflictDoUpdate({
          target: [abVariants.tenantId, abVariants.experimentId, abVariants.key],
          set: {
            position: excluded(abVariants.position),
            isControl: excluded(abVariants.isControl),
            modelVersionId: excluded(abVariants.modelVersionId),
            description: excluded(abVariants.description),
          },
        }),
  );
}

/** As replaceVariants. */
export async function replaceMetrics(
  tx: TenantTx,
  experimentId: ExperimentId,
  metrics: readonly ExperimentMetric[],
): Promise<void> {
  const tenant = tenantOf(tx);
  const keys = textArray(metrics.map(({ key }) => key));
  const { role, kind, outcome, denominator, quantile, direction, minimumEffect, alpha } = abMetrics;
  const { position, delayMs, windowMs, cupedMs } = abMetrics;
  const replaced = { role, kind, outcome, denominator, quantile, direction, minimumEffect, alpha };
  const set = { ...replaced, position, delayMs, windowMs, cupedMs };
  await inOneFlight(
    () =>
      tx
        .delete(abMetrics)
        .where(
          and(
            eq(abMetrics.tenantId, tenant),
            eq(abMetrics.experimentId, experimentId),
            sql`${abMetrics.key} <> all (${keys})`,
          ),
        ),
    async () =>
      metrics.length === 0
        ? undefined
        : await tx
            .insert(abMetrics)
            .values(metrics.map((metric, at) => ({ ...metric, experimentId, position: at })))
            .onConflictDoUpdate({
              target: [abMetrics.tenantId, abMetrics.experimentId, abMetrics.key],
              set: Object.fromEntries(Object.entries(set).map(([name, column]) => [name, excluded(column)])),
            }),
  );
}

export async function replaceHoldouts(
  tx: TenantTx,
  experimentId: ExperimentId,
  holdouts: readonly { readonly id: Id<'Holdout'> }[],
): Promise<void> {
  const links = abHoldoutExperiments;
  await inOneFlight(
    () => tx.delete(links).where(and(eq(links.tenantId, tenantOf(tx)), eq(links.experimentId, experimentId))),
    () => linkHoldouts(tx, experimentId, holdouts),
  );
}
