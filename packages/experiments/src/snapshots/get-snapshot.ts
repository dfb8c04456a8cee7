import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  type Id,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, asc, desc, eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { metricRoles } from '../design/schema.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { snapshotNotFound } from '../not-found.ts';
import { toMetricResult } from './result-rows.ts';
import { abAnalysisSnapshots, abSnapshotResults } from './schema.ts';
import type { Snapshot, SnapshotId, SnapshotSummary } from './snapshot.ts';
import { restoredInput } from './stored-input.ts';

export const GetSnapshotInput = z.strictObject({ snapshotId: z.uuid() });
export type GetSnapshotInput = Readonly<z.input<typeof GetSnapshotInput>>;

/** A snapshot with its input, definition and results. One round trip, no lock. @throws DomainError `not_found`. */
export async function getSnapshot(tx: TenantTx, input: GetSnapshotInput): Promise<Snapshot> {
  const { snapshotId } = parseInput(GetSnapshotInput, input);
  const found = await findSnapshot(tx, snapshotId as SnapshotId);
  if (found === undefined) throw snapshotNotFound();
  return found;
}

/** As getSnapshot; undefined where it is not there. */
export async function findSnapshot(tx: TenantTx, snapshotId: SnapshotId): Promise<Snapshot | undefined> {
  const tenant = tenantOf(tx);
  const [[row], results] = await inOneFlight(
    () =>
      tx
        .select()
        .from(abAnalysisSnapshots)
        .where(and(eq(abAnalysisSnapshots.tenantId, tenant), eq(abAnalysisSnapshots.id, snapshotId))),
    () =>
      tx
        .select()
        .from(abSnapshotResults)
        .where(and(eq(abSnapshotResults.tenantId, tenant), eq(abSnapshotResults.snapshotId, snapshotId)))
        .orderBy(asc(abSnapshotResults.position)),
  );
  if (row === undefined) return undefined;
  const { tenantId: _, input, ...rest } = row;
  return {
    ...rest,
    input: restoredInput(input, row.asOf),
    analysis: {
      codeVersion: row.codeVersion,
      units: unitsOf(row),
      results: results.map(toMetricResult),
      health: row.health,
    },
  };
}

/** What the analysis says of units, from the input that it was of. */
const unitsOf = ({ definition, input }: Pick<typeof abAnalysisSnapshots.$inferSelect, 'definition' | 'input'>) =>
  definition.variants.map(({ id }) => ({
    variantId: id,
    units: input.daily.reduce((sum, row) => sum + (row.variantId === id ? row.units : 0), 0),
  }));

/** The id of the last snapshot of an experiment. */
export async function findLastSnapshotId(
  tx: TenantTx,
  experimentId: Id<'Experiment'>,
): Promise<SnapshotId | undefined> {
  const [row] = await tx
    .select({ id: abAnalysisSnapshots.id })
    .from(abAnalysisSnapshots)
    .where(and(eq(abAnalysisSnapshots.tenantId, tenantOf(tx)), eq(abAnalysisSnapshots.experimentId, experimentId)))
    .orderBy(desc(abAnalysisSnapshots.number))
    .limit(1);
  return row?.id;
}

const snapshotFields = defineFilterFields({
  number: numberField(abAnalysisSnapshots.number),
  look: numberField(abAnalysisSnapshots.look),
  asOf: timeField(abAnalysisSnapshots.asOf),
  revision: numberField(abAnalysisSnapshots.revision),
  codeVersion: numberField(abAnalysisSnapshots.codeVersion),
  takenAt: timeField(abAnalysisSnapshots.takenAt),
});

const {
  tenantId: _tenant,
  definition: _definition,
  input: _input,
  ...summaryColumns
} = getTableColumns(abAnalysisSnapshots);

const snapshotList = defineList({
  name: 'experiments.snapshots',
  from: abAnalysisSnapshots,
  columns: summaryColumns,
  order: defineOrder({
    fields: snapshotFields,
    byDefault: [{ field: 'number', direction: 'desc' }],
    tieBreaker: snapshotFields.fields.number,
  }),
});

export const ListSnapshotsInput = z.strictObject({
  experimentId: z.uuid(),
  ...PageInput.shape,
  /** Text such as `look > 3 AND as_of >= '2026-05-01'`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof snapshotFields>>().optional(),
});
export type ListSnapshotsInput = Readonly<z.input<typeof ListSnapshotsInput>>;

/**
 * The snapshots of an experiment without their inputs, the last first, by pages. One statement, no lock; empty where there
 * is no such experiment. @throws DomainError `invalid_input` for filter and cursor.
 */
export async function listSnapshots(tx: TenantTx, input: ListSnapshotsInput): Promise<Page<SnapshotSummary>> {
  const { experimentId, ...wanted } = parseInput(ListSnapshotsInput, input);
  const condition = eq(abAnalysisSnapshots.experimentId, experimentId as Id<'Experiment'>);
  return await readPage(tx, snapshotList, { ...wanted, within: { condition, of: [experimentId] } });
}

const resultFields = defineFilterFields({
  position: numberField(abSnapshotResults.position),
  metricId: uuidField(abSnapshotResults.metricId),
  metricKey: textField(abSnapshotResults.metricKey),
  variantId: uuidField(abSnapshotResults.variantId),
  variantKey: textField(abSnapshotResults.variantKey),
  role: enumField(abSnapshotResults.role, metricRoles),
  dimension: textField(abSnapshotResults.dimension),
  value: textField(abSnapshotResults.value),
  adjustedP: numberField(abSnapshotResults.adjustedP),
  adjustedValidP: numberField(abSnapshotResults.adjustedValidP),
  relativeEstimate: numberField(abSnapshotResults.relativeEstimate),
});

const { tenantId: _owner, ...rowColumns } = getTableColumns(abSnapshotResults);

const resultList = defineList({
  name: 'experiments.snapshotResults',
  from: abSnapshotResults,
  columns: rowColumns,
  order: defineOrder({
    fields: resultFields,
    byDefault: [{ field: 'position', direction: 'asc' }],
    tieBreaker: resultFields.fields.position,
  }),
});

/** A row of ab_snapshot_results. */
export type SnapshotResultRow = Readonly<Omit<typeof abSnapshotResults.$inferSelect, 'tenantId'>>;

export const ListSnapshotResultsInput = z.strictObject({
  snapshotId: z.uuid(),
  ...PageInput.shape,
  /** Text such as `role = 'secondary' AND adjusted_valid_p <= 0.05`; all units have `dimension = ''`. Read by readFilter. */
  filter: z.custom<FilterInput<typeof resultFields>>().optional(),
  /** Text such as `adjusted_valid_p`, or as an object. */
  orderBy: z.custom<OrderInput<typeof resultFields>>().optional(),
});
export type ListSnapshotResultsInput = Readonly<z.input<typeof ListSnapshotResultsInput>>;

/**
 * The numbers of a snapshot by pages, in the definition's order or by `orderBy`. One statement, no lock; empty where there
 * is no such snapshot. @throws DomainError `invalid_input` for filter and cursor.
 */
export async function listSnapshotResults(
  tx: TenantTx,
  input: ListSnapshotResultsInput,
): Promise<Page<SnapshotResultRow>> {
  const { snapshotId, ...wanted } = parseInput(ListSnapshotResultsInput, input);
  const condition = eq(abSnapshotResults.snapshotId, snapshotId as SnapshotId);
  return await readPage(tx, resultList, { ...wanted, within: { condition, of: [snapshotId] } });
}
