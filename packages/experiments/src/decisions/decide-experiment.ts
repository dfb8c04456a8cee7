import { DomainError, type Id, newId, parseInput, recordEvent, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { experimentSubject, namesOneExperiment, ONE_EXPERIMENT, reasonText } from '../design/experiment-inputs.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { lockExperiment } from '../lifecycle/lock-experiment.ts';
import { snapshotNotFound } from '../not-found.ts';
import { findLastSnapshotId, findSnapshot } from '../snapshots/get-snapshot.ts';
import { abAnalysisSnapshots } from '../snapshots/schema.ts';
import type { SnapshotId } from '../snapshots/snapshot.ts';
import { decide } from './decide.ts';
import { abDecisions } from './schema.ts';

/** A row of ab_decisions. */
export type ExperimentDecision = Readonly<Omit<typeof abDecisions.$inferSelect, 'tenantId'>>;

const { tenantId: _, ...columns } = getTableColumns(abDecisions);
/** The columns of an ExperimentDecision. */
export const decisionColumns = columns;

export const DecideExperimentInput = z
  .strictObject({
    ...experimentSubject,
    /** What to decide by. Default: the last snapshot. */
    snapshotId: z.uuid().optional(),
    /** For who reads the decision later. */
    note: reasonText.optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type DecideExperimentInput = Readonly<z.input<typeof DecideExperimentInput>>;

/**
 * Decides an experiment by a snapshot of it, by the rules of `decide`, and keeps the decision with its reasons. It moves
 * nothing: what follows from it is the caller's to do. Looks are those of all snapshots by now, the same data under another
 * definition among them; an experiment that was stopped is over.
 *
 * Under the lock of the experiment; four round trips. Announces `experiment.decided`.
 *
 * @throws DomainError `not_found` without the experiment or snapshot; `failed_precondition` where it has no snapshot.
 */
export async function decideExperiment(tx: TenantTx, input: DecideExperimentInput): Promise<ExperimentDecision> {
  const { snapshotId: wanted, note, ...subject } = parseInput(DecideExperimentInput, input);
  const experiment = await lockExperiment(tx, subject);
  const [lastId, looks] = await inOneFlight(
    () => findLastSnapshotId(tx, experiment.id),
    () => countLooks(tx, experiment.id),
  );
  if (lastId === undefined) {
    throw new DomainError('failed_precondition', 'There is no snapshot to decide by. Take one by takeSnapshot.');
  }
  const snapshot = await findSnapshot(tx, (wanted ?? lastId) as SnapshotId);
  if (snapshot === undefined || snapshot.experimentId !== experiment.id) throw snapshotNotFound();
  const isOver = experiment.status === 'stopped' || experiment.status === 'archived';
  const { definition, analysis } = snapshot;
  const { verdict, variantId, reasons, treatments, codeVersion } = decide(definition, analysis, { looks, isOver });
  const variantKey = definition.variants.find(({ id }) => id === variantId)?.key ?? null;
  const facts = { snapshotId: snapshot.id, snapshotNumber: snapshot.number, verdict, variantId, variantKey };
  const id = newId<'ExperimentDecision'>();
  const [[decision]] = await inOneFlight(
    () =>
      tx
        .insert(abDecisions)
        .values({
          ...{ id, experimentId: experiment.id, experimentKey: experiment.key, ...facts },
          ...{ looks, isOver, codeVersion, reasons, treatments, note },
        })
        .returning(decisionColumns),
    () =>
      recordEvent(tx, {
        topic: 'experiment.decided',
        subjectId: experiment.id,
        payload: { key: experiment.key, decisionId: id, ...facts },
      }),
  );
  if (decision === undefined) throw new Error('INSERT … RETURNING gave no row.');
  return decision;
}

/**
 * How often an experiment has been looked at. The same data under another definition are another look: after the first one
 * might else take as primary what came out well, or another alpha, and read a fixed test again.
 */
async function countLooks(tx: TenantTx, experimentId: Id<'Experiment'>): Promise<number> {
  const [row] = await tx
    .select({
      looks: sql<number>`
        count(distinct (${abAnalysisSnapshots.inputHash}, ${abAnalysisSnapshots.revision}))
      `.mapWith(Number),
    })
    .from(abAnalysisSnapshots)
    .where(and(eq(abAnalysisSnapshots.tenantId, tenantOf(tx)), eq(abAnalysisSnapshots.experimentId, experimentId)));
  return row?.looks ?? 0;
}
