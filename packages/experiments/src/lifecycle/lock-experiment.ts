import { DomainError, type TenantTx } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import type { ExperimentSubject } from '../design/experiment-inputs.ts';
import { type ExperimentRow, isExperiment } from '../design/get-experiment.ts';
import { abExperiments, type ExperimentStatus } from '../design/schema.ts';
import { experimentNotFound } from '../not-found.ts';

/** An experiment whose row this transaction holds; the change is the next. */
export interface LockedExperiment
  extends Pick<
    ExperimentRow,
    | 'id'
    | 'key'
    | 'status'
    | 'seed'
    | 'hashVersion'
    | 'epoch'
    | 'revision'
    | 'startedAt'
    | 'layerId'
    | 'layerStart'
    | 'layerEnd'
  > {
  readonly changeNumber: number;
}

/**
 * Takes the lock of an experiment's design: its row, until the transaction ends. Whoever locks a layer as well locks it
 * after. NO KEY UPDATE, because rows that refer to the experiment hold a KEY SHARE of it.
 *
 * @throws DomainError `not_found`.
 */
export async function lockExperiment(tx: TenantTx, subject: ExperimentSubject): Promise<LockedExperiment> {
  const { tenantId: _, lastChangeNumber, ...columns } = abExperiments;
  const [experiment] = await tx
    .select({
      id: columns.id,
      key: columns.key,
      status: columns.status,
      seed: columns.seed,
      hashVersion: columns.hashVersion,
      epoch: columns.epoch,
      revision: columns.revision,
      startedAt: columns.startedAt,
      layerId: columns.layerId,
      layerStart: columns.layerStart,
      layerEnd: columns.layerEnd,
      changeNumber: sql<number>`${lastChangeNumber} + 1`.mapWith(Number),
    })
    .from(abExperiments)
    .where(isExperiment(tx, subject))
    .for('no key update');
  if (experiment === undefined) throw experimentNotFound();
  return experiment;
}

/** @throws DomainError `failed_precondition` where the experiment is in none of the statuses; `what` completes "cannot …". */
export function requireStatus(status: ExperimentStatus, legal: readonly ExperimentStatus[], what: string): void {
  if (legal.includes(status)) return;
  const message = `An experiment that is ${status} cannot ${what}; one that is ${legal.join(' or ')} can.`;
  throw new DomainError('failed_precondition', message, { details: { status, legal } });
}
