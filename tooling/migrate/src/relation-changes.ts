import type { RunnerSession } from './connection.ts';

type LockMode = (typeof lockModes)[number];

/** From the weakest to the strongest. */
const lockModes = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;

interface RelationLock {
  readonly relation: string;
  /** The strongest that was taken. */
  readonly mode: LockMode;
  readonly blocks: 'nothing' | 'writes' | 'reads and writes';
}

interface RewrittenRelation {
  readonly relation: string;
  /** Its size before. */
  readonly bytes: number;
}

interface TouchedRows {
  readonly relation: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export interface RelationChanges {
  readonly locks: readonly RelationLock[];
  readonly rewritten: readonly RewrittenRelation[];
  readonly rows: readonly TouchedRows[];
}

export interface RelationWatch {
  /** What happened since the last call (or since the watch began), in this transaction. */
  next(): Promise<RelationChanges>;
}

interface Relation {
  readonly name: string;
  readonly filenode: number;
  readonly bytes: number;
}

/**
 * Watches the relations that exist now, inside the open transaction. A lock is held until the transaction ends, so a call
 * reports the locks that are new or stronger than before, not one that is taken again.
 */
export async function watchRelations(session: RunnerSession): Promise<RelationWatch> {
  const known = new Map(
    (await session.run(relationQuery)).map((row): [number, Relation] => [
      Number(row['oid']),
      { name: String(row['name']), filenode: Number(row['filenode'] ?? 0), bytes: Number(row['bytes'] ?? 0) },
    ]),
  );
  const strongest = new Map<number, LockMode>();
  const counted = new Map<string, TouchedRows>();

  return {
    next: async () => ({
      locks: await newLocks(session, known, strongest),
      rewritten: await newRewrites(session, known),
      rows: await newRows(session, counted),
    }),
  };
}

// migration_history is every file's own.
const userRelation = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_(toast_)?temp_'
  and c.relname not in ('migration_history', 'migration_history_pk')`;

const relationQuery = `
select c.oid::int8 as oid,
       case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname as name,
       pg_relation_filenode(c.oid)::int8 as filenode,
       case when c.relkind in ('r', 'i', 'm') then pg_relation_size(c.oid) end as bytes
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'i', 'I', 'm', 'S', 'v') and ${userRelation}`;

async function newLocks(
  session: RunnerSession,
  known: ReadonlyMap<number, Relation>,
  strongest: Map<number, LockMode>,
): Promise<readonly RelationLock[]> {
  const rows = await session.run(`
    select relation::int8 as oid, mode
      from pg_catalog.pg_locks
     where pid = pg_backend_pid() and locktype = 'relation' and granted
       and database = (select oid from pg_catalog.pg_database where datname = current_database())`);
  const changed = new Set<number>();
  for (const row of rows) {
    const oid = Number(row['oid']);
    const mode = lockModes.find((candidate) => candidate === row['mode']);
    // Reading takes AccessShareLock, and so do these queries; it blocks nobody but DROP and ALTER.
    if (!known.has(oid) || mode === undefined || mode === 'AccessShareLock') continue;
    const before = strongest.get(oid);
    if (before !== undefined && lockModes.indexOf(before) >= lockModes.indexOf(mode)) continue;
    strongest.set(oid, mode);
    changed.add(oid);
  }
  return [...changed]
    .flatMap((oid): RelationLock[] => {
      const [mode, relation] = [strongest.get(oid), known.get(oid)];
      return mode === undefined || relation === undefined
        ? []
        : [{ relation: relation.name, mode, blocks: blockedBy(mode) }];
    })
    .sort((a, b) => (a.relation < b.relation ? -1 : 1));
}

function blockedBy(mode: LockMode): RelationLock['blocks'] {
  if (mode === 'AccessExclusiveLock') return 'reads and writes';
  return lockModes.indexOf(mode) >= lockModes.indexOf('ShareLock') ? 'writes' : 'nothing';
}

async function newRewrites(
  session: RunnerSession,
  known: Map<number, Relation>,
): Promise<readonly RewrittenRelation[]> {
  const rewritten: RewrittenRelation[] = [];
  for (const row of await session.run(relationQuery)) {
    const oid = Number(row['oid']);
    const before = known.get(oid);
    const filenode = Number(row['filenode'] ?? 0);
    if (before === undefined || before.filenode === filenode) continue;
    rewritten.push({ relation: before.name, bytes: before.bytes });
    known.set(oid, { ...before, filenode });
  }
  return rewritten.sort((a, b) => (a.relation < b.relation ? -1 : 1));
}

async function newRows(session: RunnerSession, counted: Map<string, TouchedRows>): Promise<readonly TouchedRows[]> {
  const rows = await session.run(`
    select case when schemaname = 'public' then '' else schemaname || '.' end || relname as name,
           n_tup_ins as inserted, n_tup_upd as updated, n_tup_del as deleted
      from pg_catalog.pg_stat_xact_user_tables
     where relname <> 'migration_history' and n_tup_ins + n_tup_upd + n_tup_del > 0
     order by 1`);
  return rows.flatMap((row) => {
    const relation = String(row['name']);
    const now = {
      relation,
      inserted: Number(row['inserted']),
      updated: Number(row['updated']),
      deleted: Number(row['deleted']),
    };
    const before = counted.get(relation) ?? { relation, inserted: 0, updated: 0, deleted: 0 };
    counted.set(relation, now);
    const change = {
      relation,
      inserted: now.inserted - before.inserted,
      updated: now.updated - before.updated,
      deleted: now.deleted - before.deleted,
    };
    return change.inserted + change.updated + change.deleted === 0 ? [] : [change];
  });
}
