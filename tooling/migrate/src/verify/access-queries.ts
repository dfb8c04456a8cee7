import type { CatalogAccess } from './catalog-access.ts';
import { notExtension, notSystem, roleName } from './query-parts.ts';

/** Who may do what, in the database and in its cluster; as in catalog-queries.ts. */
export const accessQueries = {
  roles: `
    select r.rolname as name, r.rolsuper as superuser, r.rolbypassrls as "bypassRls", r.rolcreaterole as "createRole",
           r.rolcreatedb as "createDb", r.rolcanlogin as login, r.rolreplication as replication,
           exists (select from pg_catalog.pg_database b
                    where b.datdba = r.oid and b.datname <> current_database()) as "ownsOtherDatabase"
      from pg_catalog.pg_roles r`,

  memberships: `
    select pg_catalog.pg_get_userbyid(m.roleid) as role, pg_catalog.pg_get_userbyid(m.member) as member,
           pg_catalog.bool_or(m.admin_option) as admin
      from pg_catalog.pg_auth_members m
     group by m.roleid, m.member`,

  // Temporary tables belong to the role that their session had.
  ownerships: `
    select role, count(*) as count, min(type || ' ' || identity) as example
      from (select pg_catalog.pg_get_userbyid(d.refobjid) as role, o.*
              from pg_catalog.pg_shdepend d
             cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
              join pg_catalog.pg_database b on b.datname = current_database()
             where d.deptype = 'o' and d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
               and (d.dbid = b.oid or d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass and d.objid = b.oid)) owned
     where coalesce(schema, '') !~ '^pg_(toast_)?temp'
     group by role`,

  // The search_path that a session has anyway is no setting.
  settings: `
    select case s.setrole when 0 then null else pg_catalog.pg_get_userbyid(s.setrole) end as role,
           s.setdatabase = 0 as "everyDatabase", pg_catalog.lower(pg_catalog.split_part(c, '=', 1)) as setting
      from pg_catalog.pg_db_role_setting s cross join lateral pg_catalog.unnest(s.setconfig) c
     where s.setdatabase in (0, (select b.oid from pg_catalog.pg_database b where b.datname = current_database()))
       and c !~* '^search_path=("\\$user", *)?public(, *pg_temp)?$'`,

  parameterGrants: `
    select p.parname as parameter, ${roleName('acl.grantee')} as grantee, pg_catalog.lower(acl.privilege_type) as privilege,
           acl.is_grantable as grantable
      from pg_catalog.pg_parameter_acl p cross join lateral pg_catalog.aclexplode(p.paracl) acl`,

  createGrants: `
    select 'schema public' as object, ${roleName('acl.grantee')} as grantee
      from pg_catalog.pg_namespace n cross join lateral pg_catalog.aclexplode(n.nspacl) acl
     where n.nspname = 'public' and acl.privilege_type = 'CREATE' and acl.grantee <> n.nspowner
    union
    select 'database ' || b.datname, ${roleName('acl.grantee')}
      from pg_catalog.pg_database b cross join lateral pg_catalog.aclexplode(b.datacl) acl
     where b.datname = current_database() and acl.privilege_type = 'CREATE' and acl.grantee <> b.datdba`,

  defaultGrants: `
    select pg_catalog.pg_get_userbyid(d.defaclrole) as owner,
           case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end as objects,
           ${roleName('acl.grantee')} as grantee, pg_catalog.lower(acl.privilege_type) as privilege, acl.is_grantable as grantable
      from pg_catalog.pg_default_acl d cross join lateral pg_catalog.aclexplode(d.defaclacl) acl
     where acl.grantee <> d.defaclrole and d.defaclnamespace in (0, 'public'::pg_catalog.regnamespace)`,

  schemaGrants: `
    select n.nspname as schema, ${roleName('acl.grantee')} as grantee, pg_catalog.lower(acl.privilege_type) as privilege,
           acl.is_grantable as grantable
      from pg_catalog.pg_namespace n cross join lateral pg_catalog.aclexplode(n.nspacl) acl
     where n.nspname <> 'public' and ${notExtension('pg_namespace', 'n.oid')} and acl.grantee <> n.nspowner
       and (${notSystem('n')} or acl.privilege_type = 'CREATE')`,

  // Without a row in pg_init_privs an object began with the rights that acldefault gives: none on a table, EXECUTE to PUBLIC on a function.
  systemGrants: `
    with listed as (
      select 'pg_catalog.pg_class'::pg_catalog.regclass as classid, c.oid, 0 as part, c.relacl as list, c.relowner as owner,
             'table ' || n.nspname || '.' || c.relname as object, null::"char" as defaults, n.nspname
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where c.relacl is not null
      union all
      select 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, a.attnum, a.attacl, c.relowner,
             'table ' || n.nspname || '.' || c.relname || ' (' || a.attname || ')', null, n.nspname
        from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where a.attacl is not null
      union all
      select 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, 0, p.proacl, p.proowner,
             'function ' || n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', 'f', n.nspname
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
       where p.proacl is not null)
    select o.object, ${roleName('acl.grantee')} as grantee, pg_catalog.lower(acl.privilege_type) as privilege, acl.is_grantable as grantable
      from listed o cross join lateral pg_catalog.aclexplode(o.list) acl
     where acl.grantee <> o.owner
       and (o.nspname = 'pg_catalog'
            or exists (select from pg_catalog.pg_depend e where e.deptype = 'e' and e.classid = o.classid and e.objid = o.oid))
       and not exists (
             select from pg_catalog.aclexplode(coalesce(
                      (select i.initprivs from pg_catalog.pg_init_privs i
                        where i.classoid = o.classid and i.objoid = o.oid and i.objsubid = o.part),
                      case when o.defaults is not null then pg_catalog.acldefault(o.defaults, o.owner) end)) was
              where was.grantee = acl.grantee and was.privilege_type = acl.privilege_type and was.is_grantable >= acl.is_grantable)`,

  extensions: `
    select e.extname as name,
           (select coalesce(json_agg(distinct ${roleName('acl.grantee')}), '[]')
              from pg_catalog.pg_depend d
              left join pg_catalog.pg_class c on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = d.objid
              left join pg_catalog.pg_proc p on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and p.oid = d.objid
             cross join lateral pg_catalog.aclexplode(case when p.oid is null then c.relacl
                                                           else coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)) end) acl
             where d.deptype = 'e' and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = e.oid
               and coalesce(c.relname, p.proname) = e.extname
               and acl.privilege_type in ('SELECT', 'EXECUTE')) as readers,
           (select coalesce(json_agg(o.type || ' ' || o.identity), '[]')
              from pg_catalog.pg_depend d
              left join pg_catalog.pg_class c on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and c.oid = d.objid
              left join pg_catalog.pg_proc p on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and p.oid = d.objid
             cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, 0) o
             where d.deptype = 'e' and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = e.oid
               and pg_catalog.pg_get_userbyid(coalesce(c.relowner, p.proowner)) = current_user) as "ownMembers"
      from pg_catalog.pg_extension e`,

  foreignServers: `select s.srvname as name from pg_catalog.pg_foreign_server s`,

  largeObjects: `
    select pg_catalog.pg_get_userbyid(l.lomowner) as owner, count(distinct l.oid) as count,
           coalesce(json_agg(distinct ${roleName('acl.grantee')}) filter (where acl.grantee <> l.lomowner), '[]') as grantees
      from pg_catalog.pg_largeobject_metadata l left join lateral pg_catalog.aclexplode(l.lomacl) acl on true
     group by l.lomowner`,
} as const satisfies Record<keyof CatalogAccess, string>;
