import type { ListingClient } from '../listing.ts';
import { parseListingLine } from './listing-object.ts';

/** `from` cannot be without `to`; both are keys of the listing's objects. */
export interface Dependency {
  readonly from: string;
  readonly to: string;
}

/** What pg_depend says, between objects that the listing knows. Bodies of functions are text and depend on nothing. */
export async function readDependencies(sql: ListingClient): Promise<readonly Dependency[]> {
  const rows: unknown = await sql.unsafe(dependencyQuery);
  if (!Array.isArray(rows)) throw new TypeError('the dependency query gave no result');
  return rows.map(({ dependent, referenced }: { readonly dependent: string; readonly referenced: string }) => ({
    from: dependent,
    to: referenced,
  }));
}

/** What the listing says by itself: a part, a grant and a comment need what they are on. */
export function listedDependencies(listing: readonly string[]): readonly Dependency[] {
  const objects = listing.map(parseListingLine);
  const relations = new Map(
    objects
      .filter(({ key }) => /^(table|view|materialized view|foreign table|type|sequence) /.test(key))
      .map(({ name, key }) => [name, key]),
  );
  return objects.flatMap(({ key, kind, name, table, detail }): Dependency[] => {
    if (table !== undefined) return [{ from: key, to: relations.get(table) ?? `table ${table}` }];
    if (kind === 'grant' || kind === 'comment') {
      const on = / ?(table|view|column|function|sequence) (\S+?(?:\(.*?\))?)(?: to \S+.*)?$/.exec(name);
      return on?.[1] === undefined || on[2] === undefined ? [] : [{ from: key, to: `${on[1]} ${on[2]}` }];
    }
    const parent = /, partition DEFAULT, of public\.(\S+?)(?:,|$)/.exec(detail)?.[1];
    return parent === undefined ? [] : [{ from: key, to: `table ${parent}` }];
  });
}

const dependencyQuery = `
with relation as (
  select c.oid, pg_catalog.quote_ident(c.relname) as name, c.reltype,
         case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                        when 'f' then 'foreign table' when 'c' then 'type' else 'table' end as kind
    from pg_catalog.pg_class c
   where c.relnamespace = 'public'::pg_catalog.regnamespace
     and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
     and (not c.relispartition or pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT')
), object(classid, objid, objsubid, key) as (
  select 'pg_catalog.pg_class'::pg_catalog.regclass, r.oid, 0, r.kind || ' ' || r.name from relation r
  union all
  select 'pg_catalog.pg_type'::pg_catalog.regclass, r.reltype, 0, r.kind || ' ' || r.name from relation r where r.reltype <> 0
  union all
  select 'pg_catalog.pg_class'::pg_catalog.regclass, r.oid, a.attnum, 'column ' || r.name || '.' || pg_catalog.quote_ident(a.attname)
    from relation r join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  union all
  select 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid, 0, 'column ' || r.name || '.' || pg_catalog.quote_ident(a.attname)
    from relation r
    join pg_catalog.pg_attribute a on a.attrelid = r.oid
    join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  union all
  select 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid, 0, 'index ' || r.name || '.' || pg_catalog.quote_ident(c.relname)
    from relation r join pg_catalog.pg_index i on i.indrelid = r.oid join pg_catalog.pg_class c on c.oid = i.indexrelid
   where not c.relispartition
     and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.conrelid = r.oid and k.contype in ('p', 'u', 'x'))
  union all
  select 'pg_catalog.pg_class'::pg_catalog.regclass, k.conindid, 0, 'constraint ' || r.name || '.' || pg_catalog.quote_ident(k.conname)
    from relation r join pg_catalog.pg_constraint k on k.conrelid = r.oid and k.contype in ('p', 'u', 'x') and k.conparentid = 0
  union all
  select 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, 0, 'constraint ' || r.name || '.' || pg_catalog.quote_ident(k.conname)
    from relation r join pg_catalog.pg_constraint k on k.conrelid = r.oid and k.contype <> 'n'
   where k.conparentid = 0 and (k.conislocal or k.coninhcount = 0)
  union all
  select 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid, 0, 'policy ' || r.name || '.' || pg_catalog.quote_ident(p.polname)
    from relation r join pg_catalog.pg_policy p on p.polrelid = r.oid
  union all
  select 'pg_catalog.pg_trigger'::pg_catalog.regclass, t.oid, 0, 'trigger ' || r.name || '.' || pg_catalog.quote_ident(t.tgname)
    from relation r join pg_catalog.pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
  union all
  select 'pg_catalog.pg_rewrite'::pg_catalog.regclass, w.oid, 0, r.kind || ' ' || r.name
    from relation r join pg_catalog.pg_rewrite w on w.ev_class = r.oid
  union all
  select 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, 0,
         'function ' || pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')'
    from pg_catalog.pg_proc p where p.pronamespace = 'public'::pg_catalog.regnamespace
  union all
  select 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, 0, 'type ' || pg_catalog.quote_ident(t.typname)
    from pg_catalog.pg_type t where t.typnamespace = 'public'::pg_catalog.regnamespace and t.typtype in ('e', 'd', 'r')
)
select distinct f.key as dependent, t.key as referenced
  from pg_catalog.pg_depend d
  join object f on f.classid = d.classid and f.objid = d.objid and f.objsubid = d.objsubid
  join object t on t.classid = d.refclassid and t.objid = d.refobjid and t.objsubid = d.refobjsubid
 where f.key <> t.key and d.deptype in ('n', 'a', 'i')
 order by 1, 2`;
