import { accessQueries } from './access-queries.ts';
import type { Catalog } from './catalog.ts';
import { columnNames, grants, notExtension, notSystem, roleName } from './query-parts.ts';

/** Tables, views and the like of schema public. */
const relations = `relation as (
  select c.* from pg_catalog.pg_class c
   where c.relnamespace = 'public'::pg_catalog.regnamespace
     and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
     and ${notExtension('pg_class', 'c.oid')})`;

/** One query each; its columns are the fields of the row in catalog.ts. They read with an empty search_path. */
export const catalogQueries = {
  server: `
    select current_database()::text as database,
           current_setting('server_version_num')::int as version,
           current_user::text as login,
           (select pg_catalog.bool_or(r.rolsuper or r.rolbypassrls) from pg_catalog.pg_roles r
             where r.rolname in (current_user, session_user)) as privileged,
           (select pg_catalog.pg_get_userbyid(n.nspowner) from pg_catalog.pg_namespace n where n.nspname = 'public') as "schemaOwner",
           (select pg_catalog.pg_get_userbyid(b.datdba) from pg_catalog.pg_database b where b.datname = current_database()) as "databaseOwner"`,

  relations: `
    with ${relations}
    select c.relname as name, c.relkind as kind, pg_catalog.pg_get_userbyid(c.relowner) as owner,
           c.relrowsecurity as "rowSecurity", c.relforcerowsecurity as forced, c.relispartition as "isPartition",
           coalesce(pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', false) as "isDefault",
           (select p.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhparent
             where i.inhrelid = c.oid and c.relispartition) as parent,
           (select coalesce(json_agg(p.relname), '[]') from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhparent
             where i.inhrelid = c.oid and not c.relispartition) as inherits,
           k.partstrat as strategy,
           ${columnNames('k.partattrs::int2[]', 'c.oid')} as "partitionColumns",
           pg_catalog.obj_description(c.oid, 'pg_class') as comment,
           coalesce(to_json(c.reloptions), '[]') as options,
           case when c.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(c.oid) end as definition,
           ${grants('c.relacl', 'c.relowner')} as grants
      from relation c
      left join pg_catalog.pg_partitioned_table k on k.partrelid = c.oid`,

  columns: `
    with ${relations}
    select c.relname as "table", a.attname as name,
           row_number() over (partition by c.oid order by a.attnum) as position,
           pg_catalog.format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as "notNull",
           pg_catalog.pg_get_expr(d.adbin, d.adrelid) as "default",
           a.attidentity <> '' as identity, a.attgenerated <> '' as generated,
           coalesce((select l.collisdeterministic from pg_catalog.pg_collation l where l.oid = a.attcollation), true) as deterministic,
           ${grants('a.attacl', 'c.relowner')} as grants
      from relation c
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where c.relkind <> 'S'`,

  // to_jsonb: conenforced came with PostgreSQL 18, which also stores NOT NULL as constraints of type n.
  constraints: `
    with ${relations}
    select c.relname as "table", o.conname as name, o.contype as type,
           ${columnNames('o.conkey', 'c.oid')} as columns,
           f.relname as "references",
           ${columnNames('o.confkey', 'o.confrelid')} as "referencedColumns",
           o.confmatchtype as match, o.confdeltype as "onDelete", o.confupdtype as "onUpdate",
           o.convalidated as validated, coalesce((to_jsonb(o) ->> 'conenforced')::boolean, true) as enforced,
           (select coalesce(json_agg(p.oprname order by x.position), '[]')
              from pg_catalog.unnest(o.conexclop) with ordinality x(operator, position)
              join pg_catalog.pg_operator p on p.oid = x.operator) as operators,
           pg_catalog.pg_get_expr(o.conbin, o.conrelid) as condition,
           o.conparentid <> 0 or (not o.conislocal and o.coninhcount > 0) as inherited
      from relation c
      join pg_catalog.pg_constraint o on o.conrelid = c.oid
      left join pg_catalog.pg_class f on f.oid = o.confrelid
     where o.contype <> 'n'`,

  indexes: `
    with ${relations}
    select c.relname as "table", i.relname as name, x.indisunique as unique,
           x.indisvalid and x.indisready and x.indislive as valid,
           exists (select from pg_catalog.pg_constraint o where o.conindid = i.oid and o.conrelid = c.oid and o.contype in ('p', 'u', 'x')) as "ofConstraint",
           i.relispartition as inherited,
           (select json_agg(pg_catalog.pg_get_indexdef(i.oid, k, true) order by k) from generate_series(1, x.indnkeyatts) k) as columns,
           -- pg_get_indexdef of one column leaves out its collation and its operator class.
           (select (select a.attcollation from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum = x.indkey[0]) is not distinct from x.indcollation[0]
                   and o.opcdefault from pg_catalog.pg_opclass o where o.oid = x.indclass[0]) as "firstAsDeclared"
      from relation c
      join pg_catalog.pg_index x on x.indrelid = c.oid
      join pg_catalog.pg_class i on i.oid = x.indexrelid`,

  policies: `
    with ${relations}
    select c.relname as "table", p.polname as name, p.polcmd as command, p.polpermissive as permissive,
           (select json_agg(${roleName('r.oid')}) from pg_catalog.unnest(p.polroles) r(oid)) as roles,
           pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using,
           pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as "withCheck"
      from relation c join pg_catalog.pg_policy p on p.polrelid = c.oid`,

  triggers: `
    with ${relations}
    select c.relname as "table", t.tgname as name, t.tgisinternal as internal, t.tgenabled in ('O', 'A') as enabled, o.conname as "constraint"
      from relation c
      join pg_catalog.pg_trigger t on t.tgrelid = c.oid
      left join pg_catalog.pg_constraint o on o.oid = t.tgconstraint
     where t.tgparentid = 0 or t.tgenabled not in ('O', 'A')`,

  // Managed servers bring event triggers of their own, with functions in schemas of their own.
  eventTriggers: `
    select t.evtname as name, p.proname as function
      from pg_catalog.pg_event_trigger t join pg_catalog.pg_proc p on p.oid = t.evtfoid
     where p.pronamespace = 'public'::pg_catalog.regnamespace and ${notExtension('pg_event_trigger', 't.oid')}`,

  rewriteRules: `
    with ${relations}
    select c.relname as relation, w.rulename as name
      from relation c join pg_catalog.pg_rewrite w on w.ev_class = c.oid
     where w.rulename <> '_RETURN'`,

  functions: `
    select n.nspname as schema, p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' as name,
           pg_catalog.pg_get_userbyid(p.proowner) as owner, p.prosecdef as "securityDefiner", p.proleakproof as leakproof,
           p.provolatile as volatility, p.prokind = 'a' as aggregate,
           (select l.lanname from pg_catalog.pg_language l where l.oid = p.prolang) as language,
           (select coalesce(json_agg(distinct ${roleName('acl.grantee')}), '[]')
              from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) acl) as callers,
           (select coalesce(json_agg(pg_catalog.split_part(s, '=', 1)), '[]') from pg_catalog.unnest(p.proconfig) s) as settings,
           -- An aggregate has no body but the functions that it calls.
           coalesce(pg_catalog.pg_get_function_sqlbody(p.oid),
                    (select pg_catalog.concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggmfinalfn)
                       from pg_catalog.pg_aggregate a where a.aggfnoid = p.oid),
                    p.prosrc) as body
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
     where ${notSystem('n')} and ${notExtension('pg_proc', 'p.oid')}`,

  types: `
    select n.nspname as schema, t.typname as name, pg_catalog.pg_get_userbyid(t.typowner) as owner, t.typtype = 'e' as "isEnum"
      from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     where t.typtype in ('e', 'd', 'r') and ${notSystem('n')} and ${notExtension('pg_type', 't.oid')}`,

  elsewhere: `
    select n.nspname as schema, c.relname as name, c.relkind as kind, pg_catalog.pg_get_userbyid(c.relowner) as owner,
           (select coalesce(json_agg(distinct ${roleName('acl.grantee')}), '[]')
              from pg_catalog.aclexplode(c.relacl) acl where acl.grantee <> c.relowner) as grantees
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname <> 'public' and ${notSystem('n')} and ${notExtension('pg_class', 'c.oid')}`,

  publications: `
    select p.pubname as name, p.tablename as "table", coalesce(p.rowfilter ~ $$^(\\(tenant_id = E?'([^']|'')*'::text\\)$|\\(\\(tenant_id = E?'([^']|'')*'::text\\) AND )$$, false) as filtered
      from pg_catalog.pg_publication_tables p
     where p.schemaname = 'public'`,

  ...accessQueries,
} as const satisfies Record<Exclude<keyof Catalog, 'defaultPartitions'>, string>;
