import type { ListingChange } from '../listing-change.ts';
import { quoteLiteral } from '../quote.ts';
import { changedObjects, type ListingObject } from './listing-object.ts';

/**
 * The last statement of a file: records it in migration_history if all that it makes is there and what it drops is not,
 * and raises otherwise. After an error psql goes on with the next statement, so that reaching the end means nothing.
 * Takes no settings for granted: every name is qualified.
 */
export function recordBlock(file: string, change: ListingChange, rollsBack: readonly string[] = []): string {
  const { made, gone, changed } = changedObjects(change);
  const present = [...made, ...changed.map(({ after }) => after)];
  const newTables = new Set(made.filter(({ kind }) => kind === 'table').map(({ name }) => name));
  const goneTables = new Set(gone.filter(({ kind }) => kind === 'table').map(({ name }) => name));
  const checks = [
    ...presence(present.filter(({ table, kind }) => kind !== 'column' || !newTables.has(table ?? ''))),
    ...absence(gone.filter(({ table }) => !goneTables.has(table ?? ''))),
  ];
  const records = [
    ...rollsBack.map(
      (name) =>
        `  update public.migration_history set migration_name = ${quoteLiteral(`${name}_rolled_back`)} where migration_name = ${quoteLiteral(name)};`,
    ),
    `  insert into public.migration_history (migration_name) values (${quoteLiteral(file)}) on conflict (migration_name) do nothing;`,
  ];
  if (checks.length === 0) return `do $record$\nbegin\n${records.join('\n')}\nend\n$record$;\n`;
  return `do $record$
declare
  wrong text;
begin
  select pg_catalog.string_agg(object, ', ' order by object) into wrong from (
${checks.join('\n    union all\n')}
  ) as checked(object);
  if wrong is not null then
    raise exception using
      message = ${quoteLiteral(`${file} is not recorded, its work is not whole: `)} || wrong,
      hint = 'The first error above says why. Mend it, put the database back to where it was, and run the file again.';
  end if;
${records.join('\n')}
end
$record$;
`;
}

const tableOf = "pg_catalog.to_regclass('public.' || made.parent)";

/** For each kind, what finds one by its quoted name. */
const finders: Readonly<Record<string, string>> = {
  column: `select from pg_catalog.pg_attribute a where a.attrelid = ${tableOf} and pg_catalog.quote_ident(a.attname) = made.name and not a.attisdropped`,
  constraint: `select from pg_catalog.pg_constraint c where c.conrelid = ${tableOf} and pg_catalog.quote_ident(c.conname) = made.name and c.convalidated`,
  index: `select from pg_catalog.pg_index i where i.indrelid = ${tableOf} and i.indexrelid = pg_catalog.to_regclass('public.' || made.name) and i.indisvalid`,
  policy: `select from pg_catalog.pg_policy p where p.polrelid = ${tableOf} and pg_catalog.quote_ident(p.polname) = made.name`,
  trigger: `select from pg_catalog.pg_trigger t where t.tgrelid = ${tableOf} and pg_catalog.quote_ident(t.tgname) = made.name`,
  table: "select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name)",
  view: "select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name)",
  sequence: "select from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass('public.' || made.name)",
  type: "select from pg_catalog.pg_type t where t.oid = pg_catalog.to_regtype('public.' || made.name)",
  function: `select from pg_catalog.pg_proc p where p.pronamespace = 'public'::pg_catalog.regnamespace
                        and pg_catalog.replace(pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', 'public.', '') = made.name`,
};

function presence(objects: readonly ListingObject[]): readonly string[] {
  const forced = objects.filter(({ kind, detail }) => kind === 'table' && detail.includes(', row security, forced'));
  const rest = objects.filter((object) => !forced.includes(object));
  const grants = grantRows(objects);
  return [
    ...(forced.length === 0
      ? []
      : [
          query(
            "'no forced row level security: table ' || made.name",
            forced.map(({ name }) => [name]),
            'name',
            `not exists (${finders['table']} and c.relrowsecurity and c.relforcerowsecurity)`,
          ),
        ]),
    ...byKind(rest).map(([kind, group]) => existence(kind, group, 'not exists', 'missing')),
    ...(grants.length === 0
      ? []
      : [
          query(
            "'not granted: ' || privilege || ' on ' || made.name || ' to ' || made.role",
            grants,
            'name, role, privileges',
            "not coalesce(pg_catalog.has_table_privilege(made.role, pg_catalog.to_regclass('public.' || made.name), privilege), false)",
            "\n     cross join lateral pg_catalog.unnest(pg_catalog.string_to_array(made.privileges, ', ')) as split(privilege)",
          ),
        ]),
  ];
}

function absence(objects: readonly ListingObject[]): readonly string[] {
  return byKind(objects).map(([kind, group]) => existence(kind, group, 'exists', 'still there'));
}

/** Table, role, privileges: one row for each pair of the first two. */
function grantRows(objects: readonly ListingObject[]): readonly (readonly string[])[] {
  const rows = new Map<string, { readonly table: string; readonly role: string; readonly privileges: string[] }>();
  for (const { kind, name } of objects) {
    const [, privilege, table, role] =
      (kind === 'grant' ? /^(\w+) on table (\S+) to (app_\w+)$/.exec(name) : null) ?? [];
    if (privilege === undefined || table === undefined || role === undefined) continue;
    const row = rows.get(`${table} ${role}`) ?? { table, role, privileges: [] };
    row.privileges.push(privilege);
    rows.set(`${table} ${role}`, row);
  }
  return [...rows.values()].map(({ table, role, privileges }) => [table, role, privileges.join(', ')]);
}

function existence(kind: string, objects: readonly ListingObject[], exists: string, word: string): string {
  const inTable = objects[0]?.table !== undefined;
  return query(
    `'${word}: ${kind} ' || ${inTable ? "made.parent || '.' || " : ''}made.name`,
    objects.map(({ table, name }) =>
      table === undefined ? [kind === 'function' ? name.replaceAll('public.', '') : name] : [table, name],
    ),
    inTable ? 'parent, name' : 'name',
    `${exists} (${finders[kind] ?? ''})`,
  );
}

function query(label: string, rows: readonly (readonly string[])[], names: string, where: string, join = ''): string {
  const values = rows.map((row) => `        (${row.map(quoteLiteral).join(', ')})`);
  return `    select ${label}
      from (values
${values.join(',\n')}
      ) as made(${names})${join}
     where ${where}`;
}

function byKind(objects: readonly ListingObject[]): readonly (readonly [string, readonly ListingObject[]])[] {
  const kinds = new Map<string, ListingObject[]>();
  for (const object of objects) {
    if (finders[object.kind] === undefined) continue;
    const group = kinds.get(object.kind);
    if (group === undefined) kinds.set(object.kind, [object]);
    else group.push(object);
  }
  return [...kinds];
}
