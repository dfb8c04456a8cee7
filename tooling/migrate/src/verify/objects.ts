import type { Catalog, RelationRow } from './catalog.ts';
import { reachableNames } from './reach.ts';
import type { Finding, Rule } from './rule.ts';
import { ruleOver } from './select.ts';

const ofKind = (catalog: Catalog, kind: RelationRow['kind']) =>
  catalog.relations.filter((relation) => relation.kind === kind);

function isInvoker({ options }: RelationRow): boolean {
  return options.some((option) => /^security_invoker=(true|on|yes|1)$/i.test(option));
}

/** postgres_fdw, file_fdw and every other wrapper; dblink; and what sends requests. */
const reachesOutside = /^(dblink|http|pg_net|.+_fdw)$/;

const untrustedLanguage = /^(pl(python|perl|tcl)\w*u|pl(sh|r|java|php|lua)u?)$/;

/** Extensions that show the statements of other sessions, by a view and a function of their own name. */
const statementCollectors: readonly string[] = ['pg_stat_statements', 'pg_stat_monitor', 'pg_store_plans'];

function openingExtension({ name, readers }: Catalog['extensions'][number], catalog: Catalog): readonly Finding[] {
  const object = `extension ${name}`;
  if (name === 'adminpack' || untrustedLanguage.test(name)) {
    return [{ object, message: `reaches past the policies. A superuser runs: drop extension ${name};` }];
  }
  const names = reachableNames(catalog);
  const found = readers.filter((reader) => names.has(reader)).join(', ');
  if (!statementCollectors.includes(name) || found === '') return [];
  return [
    {
      object,
      message: `shows every tenant’s statements to ${found}. Its owner runs: revoke all on ${name} from ${found}; revoke all on function ${name} from ${found}; and grants both to whom it is for.`,
    },
  ];
}

export const objectRules: readonly Rule[] = [
  ruleOver(
    'views-invoker',
    'A view reads with the rights of its owner unless it says security_invoker, and so past the policies of its caller.',
    (catalog) => ofKind(catalog, 'v').filter((view) => !isInvoker(view)),
    ({ name }) => ({
      object: name,
      message: `is no security_invoker view. Run: alter view ${name} set (security_invoker = true);`,
    }),
  ),
  ruleOver(
    'no-materialised-views',
    'A materialised view holds the rows of all tenants and cannot have row level security.',
    (catalog) => ofKind(catalog, 'm'),
    ({ name }) => ({
      object: name,
      message: `is a materialised view. Keep aggregates in a table, and run: drop materialized view ${name};`,
    }),
  ),
  ruleOver(
    'no-foreign-tables',
    'A foreign table cannot have row level security, and what reaches outside of the database can open a session that has no tenant.',
    (catalog) => [
      ...ofKind(catalog, 'f').map(({ name }) => ({ name, drop: `drop foreign table ${name};` })),
      ...catalog.foreignServers.map(({ name }) => ({
        name: `server ${name}`,
        drop: `drop server ${name} cascade; its user mappings go with it.`,
      })),
      ...catalog.extensions
        .filter(({ name }) => reachesOutside.test(name))
        .map(({ name }) => ({ name: `extension ${name}`, drop: `drop extension ${name};` })),
    ],
    ({ name, drop }) => ({ object: name, message: `reaches outside of the database. Run: ${drop}` }),
  ),
  {
    name: 'no-opening-extensions',
    protects:
      'Code in an untrusted language, and functions that read the server’s files, ask no policy; collected statements hold the tenant ids and values of all sessions.',
    check: ({ catalog }) => catalog.extensions.flatMap((row) => openingExtension(row, catalog)),
  },
  ruleOver(
    'no-hidden-members',
    'What counts as an extension’s is left out of the other rules and of the listing: a table that was added to one is seen by nobody.',
    (catalog) => catalog.extensions.flatMap(({ name, ownMembers }) => ownMembers.map((member) => ({ name, member }))),
    ({ name, member }) => ({
      object: member,
      message: `belongs to the owner and to extension ${name}. Run: alter extension ${name} drop ${member}; or, where it came with the extension, have an administrator own both.`,
    }),
  ),
  ruleOver(
    'no-large-objects',
    'A large object has an owner and no tenant: row level security does not exist for it, and every tenant transaction is the same role.',
    (catalog) => {
      const names = reachableNames(catalog);
      return catalog.largeObjects.filter(
        ({ owner, grantees }) =>
          owner === catalog.server.login || names.has(owner) || grantees.some((name) => names.has(name)),
      );
    },
    ({ owner, count }) => ({
      object: `large objects of ${owner}`,
      message: `${count === 1 ? 'There is one' : `There are ${count}`}. Keep bytes in a table with a tenant, or outside with their digest in it; list them with \\lo_list, and as ${owner} select lo_unlink(oid) for each.`,
    }),
  ),
  ruleOver(
    'no-sequences',
    'A sequence is shared by all tenants: its gaps tell one how much the others write.',
    (catalog) => [
      ...ofKind(catalog, 'S').map(({ name }) => name),
      ...catalog.columns
        .filter(({ identity, default: value }) => identity || /\bnextval\(/.test(value ?? ''))
        .map(({ table, name }) => `${table}.${name}`),
    ],
    (object) => ({
      object,
      message: 'is a sequence, an identity or takes its default from one. Ids are uuid v7, with default app_uuid_v7().',
    }),
  ),
  ruleOver(
    'no-triggers',
    'A trigger writes where no statement says so; a default or code does it in sight.',
    (catalog) => catalog.triggers.filter(({ internal }) => !internal),
    ({ table, name }) => ({
      object: `${table}.${name}`,
      message: `is a trigger. Run: drop trigger ${name} on ${table};`,
    }),
  ),
  ruleOver(
    'no-event-triggers',
    'An event trigger runs with each DDL statement and can undo what a migration protects.',
    (catalog) => catalog.eventTriggers,
    ({ name }) => ({
      object: `event trigger ${name}`,
      message: `calls a function of schema public. A superuser runs: drop event trigger ${name};`,
    }),
  ),
  ruleOver(
    'no-rewrite-rules',
    'A rule replaces a statement by another one that runs with the rights of the table’s owner.',
    (catalog) => catalog.rewriteRules,
    ({ relation, name }) => ({
      object: `${relation}.${name}`,
      message: `is a rewrite rule. Run: drop rule ${name} on ${relation};`,
    }),
  ),
  ruleOver(
    'no-enums',
    'A value of an enum can neither be added and used in one migration nor be taken away; comparing enums is not leakproof, so indexes go unused under policies.',
    (catalog) => catalog.types.filter(({ isEnum }) => isEnum),
    ({ schema, name }) => ({
      object: schema === 'public' ? name : `${schema}.${name}`,
      message: 'is an enum. States are text with a check.',
    }),
  ),
  ruleOver(
    'publications-filtered',
    'A subscriber reads the write-ahead log, for which row level security does not hold.',
    (catalog) => {
      const open = catalog.publications.filter(({ filtered }) => !filtered);
      return [...new Set(open.map(({ name }) => name))].map((name) => ({
        name,
        tables: open.filter((row) => row.name === name).map(({ table }) => table),
      }));
    },
    ({ name, tables }) => ({
      object: `publication ${name}`,
      message: `publishes ${tables.length === 1 ? tables[0] : `${tables.length} tables`} without a row filter on one tenant. Give it one (where (tenant_id = '…')), or run: drop publication ${name};`,
    }),
  ),
];
