import { DomainError, type Id, newId, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { analyse } from '../analysis/analyse.ts';
import type { Analysis } from '../analysis/analysis.ts';
import type { AnalysisInput } from '../analysis/analysis-input.ts';
import { inOneFlight } from '../in-one-flight.ts';
import { lockExperiment } from '../lifecycle/lock-experiment.ts';
import { hashOf } from './hash-of.ts';
import type { ReadDefinition } from './read-analysis-definition.ts';
import { type ResultRow, toResultRow } from './result-rows.ts';
import { abAnalysisSnapshots, abSnapshotResults } from './schema.ts';
import type { SnapshotId } from './snapshot.ts';
import { storedInput } from './stored-input.ts';

/**
 * Analyses an input and keeps it with what comes out. Under the lock of the experiment, by which looks are counted one
 * after the other; two round trips.
 *
 * @throws DomainError `conflict` where the definition has changed since it was read.
 */
export async function storeSnapshot(
  tx: TenantTx,
  { experiment, definition }: Pick<ReadDefinition, 'experiment' | 'definition'>,
  input: AnalysisInput,
): Promise<SnapshotId> {
  const stored = storedInput(input);
  const inputHash = hashOf(stored);
  const [locked, [before]] = await inOneFlight(
    () => lockExperiment(tx, { experimentId: experiment.id }),
    async () =>
      await tx.select(looksBefore(inputHash)).from(abAnalysisSnapshots).where(ofExperiment(tx, experiment.id)),
  );
  if (locked.revision !== definition.revision || locked.epoch !== experiment.epoch) {
    throw new DomainError('conflict', 'The definition changed while the data were read. Take the snapshot again.', {
      details: { retryable: true },
    });
  }
  const { number = 0, otherInputs = 0 } = before ?? {};
  const look = otherInputs + 1;
  const analysis = analyse(definition, input, { look });
  const id = newId<'AnalysisSnapshot'>();
  const { units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes } = stored;
  await inOneFlight(
    () =>
      tx.insert(abAnalysisSnapshots).values({
        ...{ id, experimentId: experiment.id, number: number + 1, look, asOf: input.asOf },
        ...{ revision: definition.revision, codeVersion: analysis.codeVersion, definition, input: stored, inputHash },
        ...{ units, multipleUnits, forcedUnits, exposedBeforeAssignment, outcomes },
        ...{ analysisHash: hashOf(analysis), health: analysis.health },
      }),
    () => insertResults(tx, id, analysis),
  );
  return id;
}

const ofExperiment = (tx: TenantTx, experimentId: Id<'Experiment'>) =>
  and(eq(abAnalysisSnapshots.tenantId, tenantOf(tx)), eq(abAnalysisSnapshots.experimentId, experimentId));

/** The same data looked at again are no other look. */
const looksBefore = (inputHash: string) => ({
  number: sql<number>`coalesce(max(${abAnalysisSnapshots.number}), 0)`.mapWith(Number),
  otherInputs: sql<number>`
    count(distinct ${abAnalysisSnapshots.inputHash}) filter (where ${abAnalysisSnapshots.inputHash} <> ${inputHash})
  `.mapWith(Number),
});

const { tenantId: _, snapshotId: __, ...resultColumns } = getTableColumns(abSnapshotResults);
const columns = Object.entries(resultColumns).map(([field, column]) => ({
  ...{ field: field as keyof ResultRow, key: column.name, name: sql.identifier(column.name) },
  type: sql.raw(column.getSQLType()),
}));

/** One statement of one parameter, whatever the number of rows. json, which keeps the digits of doubles as they are. */
async function insertResults(tx: TenantTx, snapshotId: SnapshotId, { results }: Analysis): Promise<void> {
  if (results.length === 0) return;
  const rows = results.map((result, at) => {
    const row = toResultRow(result, at);
    return Object.fromEntries(columns.map(({ field, key }) => [key, row[field]]));
  });
  const names = sql.join(
    columns.map(({ name }) => name),
    sql`, `,
  );
  const types = sql.join(
    columns.map(({ name, type }) => sql`${name} ${type}`),
    sql`, `,
  );
  await tx.execute(sql`
    insert into ${abSnapshotResults} (tenant_id, snapshot_id, ${names})
    select ${tenantOf(tx)}, ${snapshotId}::uuid, ${names}
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as given (${types})`);
}
