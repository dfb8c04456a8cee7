import type { RunnerSession } from '../connection.ts';

/** A table that is partitioned by the time of its v7 ids, with its partitions. */
export interface PartitionedTable {
  readonly name: string;
  /** Whether the session's login owns it, or is a member of who does. */
  readonly isOwned: boolean;
  /** The column that it is partitioned by. */
  readonly key: string;
  /** Columns that a row is moved by: without generated ones. */
  readonly columns: readonly string[];
  readonly defaultPartition: string;
  /** Whether its default partition has pages, and so may have rows. */
  readonly defaultHasPages: boolean;
  readonly partitions: readonly Partition[];
}

export interface Partition {
  readonly name: string;
  /** Bounds as uuids; '' is MINVALUE, and the upper one is undefined where it is MAXVALUE. */
  readonly from: string;
  readonly to: string | undefined;
  readonly hasPages: boolean;
}

const query = `
select t.relname as name, pg_catalog.pg_has_role(t.relowner, 'USAGE') as owned, a.attname as key,
       (select pg_catalog.json_agg(c.attname order by c.attnum)::text
          from pg_catalog.pg_attribute c
         where c.attrelid = t.oid and c.attnum > 0 and not c.attisdropped and c.attgenerated = '') as columns,
       d.relname as default_partition, pg_catalog.pg_relation_size(d.oid) > 0 as default_has_pages,
       (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                 'name', p.relname, 'bound', pg_catalog.pg_get_expr(p.relpartbound, p.oid),
                 'hasPages', pg_catalog.pg_relation_size(p.oid) > 0)), '[]')::text
          from pg_catalog.pg_inherits i
          join pg_catalog.pg_class p on p.oid = i.inhrelid
         where i.inhparent = t.oid and p.oid <> d.oid) as partitions
  from pg_catalog.pg_class t
  join pg_catalog.pg_partitioned_table k on k.partrelid = t.oid and k.partstrat = 'r' and k.partnatts = 1
  join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.partattrs[0] and a.atttypid = 'uuid'::pg_catalog.regtype
  join pg_catalog.pg_class d on d.oid = k.partdefid
 where t.relnamespace = 'public'::pg_catalog.regnamespace and not t.relispartition
 order by t.relname collate "C"`;

/** All tables of schema public that are partitioned by a range of ids and have a default partition. */
export async function readPartitionedTables(session: RunnerSession): Promise<readonly PartitionedTable[]> {
  const rows = await session.query(query, []);
  return rows.map((row) => ({
    name: String(row['name']),
    isOwned: row['owned'] === true,
    key: String(row['key']),
    columns: JSON.parse(String(row['columns'])) as readonly string[],
    defaultPartition: String(row['default_partition']),
    defaultHasPages: row['default_has_pages'] === true,
    partitions: (JSON.parse(String(row['partitions'])) as readonly BoundRow[]).flatMap(readBound),
  }));
}

interface BoundRow {
  readonly name: string;
  readonly bound: string;
  readonly hasPages: boolean;
}

const boundForm = /^FOR VALUES FROM \((?:MINVALUE|'([0-9a-f-]{36})')\) TO \((?:MAXVALUE|'([0-9a-f-]{36})')\)$/;

function readBound({ name, bound, hasPages }: BoundRow): readonly Partition[] {
  const match = boundForm.exec(bound);
  return match === null ? [] : [{ name, from: match[1] ?? '', to: match[2], hasPages }];
}
