import type { Catalog, FunctionRow, RelationRow } from './catalog.ts';
import type { Rule } from './rule.ts';
import { ruleOver } from './select.ts';

const ofKind = (catalog: Catalog, kind: RelationRow['kind']) =>
  catalog.relations.filter((relation) => relation.kind === kind);

function isInvoker({ options }: RelationRow): boolean {
  return options.some((option) => /^security_invoker=(true|on|yes|1)$/i.test(option));
}

const functionName = ({ schema, name }: FunctionRow) => (schema === 'public' ? name : `${schema}.${name}`);

/** What differs between two tenants, or between two calls of one. */
const readsContext = /\b(current_setting|current_user|current_role|session_user|app_now|app_uuid_v7)\b/i;

/** Settings by which a function would leave its caller's tenant or role. */
const contextSetting = /^(role|session_authorization|row_security|session_replication_role|app\..*)$/i;
const changesContext =
  /\bset_config\s*\(|\bset\s+(local\s+|session\s+)?(role|session\s+authorization|row_security|session_replication_role|app\.)|\breset\s+(role|all|session|app\.)|\bpg_settings\b/i;

const entersTenant = ({ schema, name }: FunctionRow) => schema === 'public' && name.startsWith('app_set_tenant(');

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
    'A foreign table cannot have row level security, and dblink opens sessions that have no tenant.',
    (catalog) => [
      ...ofKind(catalog, 'f').map(({ name }) => ({ name, drop: `drop foreign table ${name};` })),
      ...catalog.extensions
        .filter(({ name }) => name === 'dblink')
        .map(({ name }) => ({ name: `extension ${name}`, drop: `drop extension ${name};` })),
    ],
    ({ name, drop }) => ({ object: name, message: `reaches outside of the database. Run: ${drop}` }),
  ),
  ruleOver(
    'no-sequences',
    'A sequence is shared by all tenants: its gaps tell one how much the others write.',
    (catalog) => [
      ...ofKind(catalog, 'S').map(({ name }) => name),
      ...catalog.columns.filter(({ identity }) => identity).map(({ table, name }) => `${table}.${name}`),
    ],
    (object) => ({
      object,
      message: 'is a sequence or an identity column. Ids are uuid v7, with default app_uuid_v7().',
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
    'no-security-definer',
    'A SECURITY DEFINER function reads and writes with the rights of its owner instead of its caller’s.',
    (catalog) => catalog.functions.filter(({ securityDefiner }) => securityDefiner),
    (row) => ({
      object: functionName(row),
      message: `is SECURITY DEFINER. Run: alter function ${functionName(row)} security invoker;`,
    }),
  ),
  ruleOver(
    'no-leakproof-functions',
    'A function marked LEAKPROOF runs before the policy, on the rows of all tenants.',
    (catalog) => catalog.functions.filter(({ leakproof }) => leakproof),
    (row) => ({
      object: functionName(row),
      message: `is LEAKPROOF. A superuser runs: alter function ${functionName(row)} not leakproof;`,
    }),
  ),
  ruleOver(
    'no-immutable-context',
    'An IMMUTABLE function that reads the context is folded into a cached plan once, with the first tenant’s value for all.',
    (catalog) => catalog.functions.filter(({ volatility, body }) => volatility === 'i' && readsContext.test(body)),
    (row) => ({
      object: functionName(row),
      message: `reads the context and is IMMUTABLE. Run: alter function ${functionName(row)} stable;`,
    }),
  ),
  ruleOver(
    'functions-keep-context',
    'A function that sets the tenant, the role or row_security lets a query change whose rows it sees.',
    (catalog) =>
      catalog.functions.filter(
        (row) =>
          row.settings.some((setting) => contextSetting.test(setting)) ||
          (!entersTenant(row) && changesContext.test(row.body)),
      ),
    (row) => ({
      object: functionName(row),
      message: 'changes the context. Only app_set_tenant may; take the SET or set_config out of it.',
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
      message: `publishes ${tables.length === 1 ? tables[0] : `${tables.length} tables`} without a row filter. Give it one (where (tenant_id = '…')), or run: drop publication ${name};`,
    }),
  ),
];
