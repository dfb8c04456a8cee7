import { runtimeRoles } from '../runtime-roles.ts';
import type { Catalog, FunctionRow } from './catalog.ts';
import { changesContext, contextSetting, runsText } from './changes-context.ts';
import type { Rule } from './rule.ts';
import { ruleOver } from './select.ts';

const functionName = ({ schema, name }: FunctionRow) => (schema === 'public' ? name : `${schema}.${name}`);

/** What differs between two tenants, or between two calls of one. */
const readsContext = /\b(current_setting|current_user|current_role|session_user|app_now|app_uuid_v7)\b/i;

/** The one function that may enter a tenant. What it does is tried by probe-context-function and held by schema-listing. */
const entersTenant = ({ schema, name }: FunctionRow) =>
  schema === 'public' && name === 'app_set_tenant(tenant text, actor text, at timestamp with time zone)';

const mayBeCalled = ({ callers }: FunctionRow) =>
  callers.some((name) => name === 'PUBLIC' || (runtimeRoles as readonly string[]).includes(name));

/** Expressions that run in a statement without being named in it. */
function hiddenExpressions({ relations, columns, constraints }: Catalog): readonly { object: string; text: string }[] {
  return [
    ...relations.map(({ name, definition }) => ({ object: `view ${name}`, text: definition ?? '' })),
    ...columns.map(({ table, name, default: value }) => ({ object: `${table}.${name}`, text: value ?? '' })),
    ...constraints.map(({ table, name, condition }) => ({ object: `${table}.${name}`, text: condition ?? '' })),
  ];
}

export const functionRules: readonly Rule[] = [
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
          (!entersTenant(row) && changesContext(row.body)),
      ),
    (row) => ({
      object: functionName(row),
      message:
        'changes the context, or names app.tenant for more than current_setting(…). Only app_set_tenant may; take it out, or drop the function.',
    }),
  ),
  ruleOver(
    'expressions-keep-context',
    'A view, a default or a check that sets the tenant moves the statement that meets it into another one.',
    (catalog) => hiddenExpressions(catalog).filter(({ text }) => changesContext(text)),
    ({ object }) => ({ object, message: 'changes the context. Make it anew without set_config and app_set_tenant.' }),
  ),
  ruleOver(
    'no-dynamic-sql',
    'Text that a function runs as SQL can be any statement, SET app.tenant among them, and nobody reads it before it runs.',
    (catalog) => catalog.functions.filter((row) => !entersTenant(row) && mayBeCalled(row) && runsText(row.body)),
    (row) => ({
      object: functionName(row),
      message: `runs text as SQL. Write the statement out; or, where only the owner needs it, run: revoke execute on function ${functionName(row)} from public, ${runtimeRoles.join(', ')};`,
    }),
  ),
  ruleOver(
    'function-languages',
    'A function in another language than sql or plpgsql can do what no rule here reads, set the tenant among it.',
    (catalog) =>
      catalog.functions.filter(({ language, aggregate }) => !aggregate && language !== 'sql' && language !== 'plpgsql'),
    (row) => ({
      object: functionName(row),
      message: `is written in ${row.language}. Write it in sql or plpgsql, or run: drop function ${functionName(row)};`,
    }),
  ),
];
