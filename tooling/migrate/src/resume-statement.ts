import type { RunnerSession } from './connection.ts';
import { quoteIdentifier } from './quote.ts';

const name = String.raw`((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)`;
const createIndex = new RegExp(
  String.raw`^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?${name}\s+on\s+(?:only\s+)?${name}`,
  'i',
);
const dropIndex = new RegExp(
  String.raw`^drop\s+index\s+concurrently\s+(?:if\s+exists\s+)?${name}\s*(?:cascade|restrict)?$`,
  'i',
);
const reindex = new RegExp(String.raw`^reindex\s+(?:\([^)]*\)\s*)?(index|table)\s+concurrently\s+${name}$`, 'i');
const detach = new RegExp(
  String.raw`^alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?${name}\s+detach\s+partition\s+${name}\s+concurrently$`,
  'i',
);

/**
 * Before a statement that an earlier run may have begun: says whether it is already done, and takes away what a killed one
 * left (an INVALID index, a partition whose detaching has begun).
 */
export async function clearLeftovers(session: RunnerSession, statement: string): Promise<boolean> {
  const created = createIndex.exec(statement);
  if (created?.[1] !== undefined && created[2] !== undefined) {
    return await clearIndex(session, created[1], created[2]);
  }
  const dropped = dropIndex.exec(statement);
  if (dropped?.[1] !== undefined) {
    const [row] = await session.query('select to_regclass($1) is null as gone', [dropped[1]]);
    return row?.['gone'] === true;
  }
  const rebuilt = reindex.exec(statement);
  if (rebuilt?.[1] !== undefined && rebuilt[2] !== undefined) {
    await dropTransientIndexes(session, rebuilt[1], rebuilt[2]);
    return false;
  }
  const detached = detach.exec(statement);
  if (detached?.[1] !== undefined && detached[2] !== undefined) {
    return await finishDetach(session, detached[1], detached[2]);
  }
  return false;
}

/** True when the index stands on that table and is valid. An INVALID one is dropped. */
async function clearIndex(session: RunnerSession, index: string, table: string): Promise<boolean> {
  const [row] = await session.query(
    `select i.indisvalid and i.indisready as usable, n.nspname as schema, c.relname as index
       from pg_catalog.pg_index i
       join pg_catalog.pg_class c on c.oid = i.indexrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where i.indrelid = to_regclass($1) and i.indexrelid = to_regclass($2)`,
    [table, withSchemaOf(table, index)],
  );
  if (row === undefined) return false;
  if (row['usable'] === true) return true;
  await session.run(
    `drop index concurrently ${quoteIdentifier(String(row['schema']))}.${quoteIdentifier(String(row['index']))}`,
  );
  return false;
}

/** An index stands in its table's schema and is named without one. */
function withSchemaOf(table: string, index: string): string {
  const schema = /^((?:"(?:[^"]|"")+"|[\w$]+))\s*\./.exec(table)?.[1];
  return schema === undefined ? index : `${schema}.${index}`;
}

/** REINDEX CONCURRENTLY builds `…_ccnew` beside the index and calls the old one `…_ccold`. */
async function dropTransientIndexes(session: RunnerSession, kind: string, relation: string): Promise<void> {
  const table =
    kind.toLowerCase() === 'table'
      ? 'to_regclass($1)'
      : '(select indrelid from pg_catalog.pg_index where indexrelid = to_regclass($1))';
  const rows = await session.query(
    `select n.nspname as schema, c.relname as index
       from pg_catalog.pg_index i
       join pg_catalog.pg_class c on c.oid = i.indexrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where i.indrelid = ${table} and not i.indisvalid and c.relname ~ '_cc(new|old)\\d*$'`,
    [relation],
  );
  for (const row of rows) {
    await session.run(
      `drop index concurrently ${quoteIdentifier(String(row['schema']))}.${quoteIdentifier(String(row['index']))}`,
    );
  }
}

/** True when the partition is detached, by now or before. */
async function finishDetach(session: RunnerSession, parent: string, partition: string): Promise<boolean> {
  const [row] = await session.query(
    `select i.inhdetachpending as pending
       from pg_catalog.pg_inherits i
      where i.inhparent = to_regclass($1) and i.inhrelid = to_regclass($2)`,
    [parent, partition],
  );
  if (row === undefined) return true;
  if (row['pending'] !== true) return false;
  await session.run(`alter table ${parent} detach partition ${partition} finalize`);
  return true;
}
