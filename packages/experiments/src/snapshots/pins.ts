import {
  defineFilterFields,
  defineList,
  defineOrder,
  type Id,
  numberField,
  type Page,
  PageInput,
  parseInput,
  readPage,
  recordEvent,
  type TenantTx,
  tenantOf,
} from '@mcp-hub/db-core';
import { and, desc, eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { reasonText } from '../design/experiment-inputs.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { lockExperiment } from '../lifecycle/lock-experiment.ts';
import { snapshotNotFound } from '../not-found.ts';
import { findSnapshot } from './get-snapshot.ts';
import { abAnalysisSnapshots, abSnapshotPins } from './schema.ts';
import type { Snapshot, SnapshotId } from './snapshot.ts';

/** A row of ab_snapshot_pins. */
export type SnapshotPin = Readonly<Omit<typeof abSnapshotPins.$inferSelect, 'tenantId'>>;

export const PinSnapshotInput = z.strictObject({ snapshotId: z.uuid(), reason: reasonText.optional() });
export type PinSnapshotInput = Readonly<z.input<typeof PinSnapshotInput>>;

/**
 * Makes a snapshot its experiment's official one, in the place of another. One that is official already stays so, and
 * nothing is written. Under the lock of the experiment; three round trips. Announces `experiment.snapshot_pinned`.
 *
 * @throws DomainError `not_found`.
 */
export async function pinSnapshot(tx: TenantTx, input: PinSnapshotInput): Promise<SnapshotPin> {
  const { snapshotId, reason } = parseInput(PinSnapshotInput, input);
  const id = snapshotId as SnapshotId;
  const [snapshot] = await tx
    .select({ experimentId: abAnalysisSnapshots.experimentId, number: abAnalysisSnapshots.number })
    .from(abAnalysisSnapshots)
    .where(and(eq(abAnalysisSnapshots.tenantId, tenantOf(tx)), eq(abAnalysisSnapshots.id, id)));
  if (snapshot === undefined) throw snapshotNotFound();
  const { key, last } = await lockPin(tx, snapshot.experimentId);
  if (last?.snapshotId === id) return last;
  const changeNumber = (last?.changeNumber ?? 0) + 1;
  return await writePin(tx, {
    ...{ experimentId: snapshot.experimentId, changeNumber, snapshotId: id, reason },
    ...{ topic: 'experiment.snapshot_pinned', payload: { key, snapshotId, number: snapshot.number } },
  });
}

export const UnpinSnapshotInput = z.strictObject({ experimentId: z.uuid(), reason: reasonText.optional() });
export type UnpinSnapshotInput = Readonly<z.input<typeof UnpinSnapshotInput>>;

/**
 * Leaves an experiment without an official snapshot. Undefined, and nothing is written, where it has none. Under the lock of
 * the experiment; two round trips. Announces `experiment.snapshot_unpinned`.
 *
 * @throws DomainError `not_found` without the experiment.
 */
export async function unpinSnapshot(tx: TenantTx, input: UnpinSnapshotInput): Promise<SnapshotPin | undefined> {
  const { experimentId, reason } = parseInput(UnpinSnapshotInput, input);
  const id = experimentId as Id<'Experiment'>;
  const { key, last } = await lockPin(tx, id);
  if (last == null || last.snapshotId === null) return undefined;
  return await writePin(tx, {
    ...{ experimentId: id, changeNumber: last.changeNumber + 1, snapshotId: null, reason },
    ...{ topic: 'experiment.snapshot_unpinned', payload: { key, snapshotId: last.snapshotId } },
  });
}

export const FindOfficialSnapshotInput = z.strictObject({ experimentId: z.uuid() });
export type FindOfficialSnapshotInput = Readonly<z.input<typeof FindOfficialSnapshotInput>>;

/** The official snapshot of an experiment, or undefined where none is pinned. Two round trips, no lock. */
export async function findOfficialSnapshot(
  tx: TenantTx,
  input: FindOfficialSnapshotInput,
): Promise<Snapshot | undefined> {
  const { experimentId } = parseInput(FindOfficialSnapshotInput, input);
  const last = await findLastPin(tx, experimentId as Id<'Experiment'>);
  return last?.snapshotId == null ? undefined : await findSnapshot(tx, last.snapshotId);
}

const fields = defineFilterFields({ changeNumber: numberField(abSnapshotPins.changeNumber) });
const { tenantId: _, ...pinColumns } = getTableColumns(abSnapshotPins);
const pinList = defineList({
  name: 'experiments.snapshotPins',
  from: abSnapshotPins,
  columns: pinColumns,
  order: defineOrder({
    fields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: fields.fields.changeNumber,
  }),
});

export const ListSnapshotPinsInput = z.strictObject({ experimentId: z.uuid(), ...PageInput.shape });
export type ListSnapshotPinsInput = Readonly<z.input<typeof ListSnapshotPinsInput>>;

/** What was official when, the last first, by pages. One statement, no lock; empty where there is no such experiment. */
export async function listSnapshotPins(tx: TenantTx, input: ListSnapshotPinsInput): Promise<Page<SnapshotPin>> {
  const { experimentId, ...wanted } = parseInput(ListSnapshotPinsInput, input);
  const condition = eq(abSnapshotPins.experimentId, experimentId as Id<'Experiment'>);
  return await readPage(tx, pinList, { ...wanted, within: { condition, of: [experimentId] } });
}

async function findLastPin(tx: TenantTx, experimentId: Id<'Experiment'>): Promise<SnapshotPin | undefined> {
  const [last] = await tx
    .select(pinColumns)
    .from(abSnapshotPins)
    .where(and(eq(abSnapshotPins.tenantId, tenantOf(tx)), eq(abSnapshotPins.experimentId, experimentId)))
    .orderBy(desc(abSnapshotPins.changeNumber))
    .limit(1);
  return last;
}

/** The pin as it is once the experiment is locked. */
async function lockPin(tx: TenantTx, experimentId: Id<'Experiment'>) {
  const [experiment, last] = await inOneFlight(
    () => lockExperiment(tx, { experimentId }),
    () => findLastPin(tx, experimentId),
  );
  return { key: experiment.key, last };
}

interface NewPin {
  readonly experimentId: Id<'Experiment'>;
  readonly changeNumber: number;
  readonly snapshotId: SnapshotId | null;
  readonly reason: string | undefined;
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

async function writePin(tx: TenantTx, { topic, payload, ...row }: NewPin): Promise<SnapshotPin> {
  const [[pin]] = await inOneFlight(
    () => tx.insert(abSnapshotPins).values(row).returning(pinColumns),
    () => recordEvent(tx, { topic, subjectId: row.experimentId, payload }),
  );
  if (pin === undefined) throw new Error('INSERT … RETURNING gave no row.');
  return pin;
}
