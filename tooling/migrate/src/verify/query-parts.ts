export const notSystem = (namespace: string) =>
  `${namespace}.nspname not in ('pg_catalog', 'information_schema') and ${namespace}.nspname !~ '^pg_(toast|temp)'`;

export const notExtension = (catalog: string, oid: string) =>
  `not exists (select from pg_catalog.pg_depend e
                where e.deptype = 'e' and e.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass and e.objid = ${oid})`;

export const roleName = (oid: string) =>
  `case ${oid} when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(${oid})::text end`;

/** Grants of an access list, without the owner's own. */
export const grants = (list: string, owner: string) => `
  (select coalesce(json_agg(json_build_object(
            'grantee', ${roleName('acl.grantee')}, 'privilege', pg_catalog.lower(acl.privilege_type), 'grantable', acl.is_grantable)), '[]')
     from pg_catalog.aclexplode(${list}) acl
    where acl.grantee <> ${owner})`;

export const columnNames = (numbers: string, relation: string) => `
  (select coalesce(json_agg(a.attname order by k.position), '[]')
     from pg_catalog.unnest(${numbers}) with ordinality k(number, position)
     left join pg_catalog.pg_attribute a on a.attrelid = ${relation} and a.attnum = k.number)`;
