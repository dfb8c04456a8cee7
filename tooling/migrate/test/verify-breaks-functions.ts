import type { Break } from './verify-break.ts';

/** Each is called leave() and returns nothing; its body is PL/pgSQL. */
const leaving = (body: string) => `create function leave() returns void language plpgsql as $$ ${body} $$`;

const leavesContext: readonly (readonly [what: string, sql: string, also?: readonly string[]])[] = [
  [
    'by format() and a quoted name',
    leaving(`begin execute format('set local %I = %L', 'app.tenant', 'somebody'); end`),
    ['no-dynamic-sql'],
  ],
  ['by "set_config" in quotes', leaving(`begin perform pg_catalog."set_config"('app.tenant', 'somebody', true); end`)],
  [
    'by set_config in text',
    leaving(`begin execute 'select ' || 'set_config(''app.'' || ''tenant'', ''somebody'', true)'; end`),
    ['no-dynamic-sql'],
  ],
  ['by a quoted setting', leaving(`begin set local "app"."tenant" = 'somebody'; end`)],
  ['by a setting with a comment in it', leaving(`begin set /* now */ local app/**/.tenant = 'somebody'; end`)],
  ['by an escaped name', leaving(`begin perform U&"set\\005fconfig"('app' || '.tenant', 'somebody', true); end`)],
  ['by app_set_tenant', leaving(`begin perform app_set_tenant('somebody'); end`)],
  ['by DO', leaving(`begin do 'begin set local app.tenant = 1; end'; end`), ['no-dynamic-sql']],
  ['by RESET', leaving(`begin reset role; end`)],
  [
    'as another app_set_tenant',
    `create function app_set_tenant(tenant text, forever boolean) returns text language sql as $$ select set_config('app.tenant', tenant, not forever) $$`,
  ],
];

export const functionBreaks: readonly Break[] = [
  {
    rule: 'no-security-definer',
    what: 'a function runs with the rights of its owner',
    sql: 'create function all_models() returns bigint language sql security definer as $$ select count(*) from public.model_registry $$',
    object: 'all_models()',
  },
  {
    rule: 'no-leakproof-functions',
    what: 'a function runs before the policies',
    adminSql: `create function peek(value text) returns boolean language sql leakproof as $$ select true $$; alter function peek(text) owner to mcp_hub`,
    object: 'peek(value text)',
  },
  {
    rule: 'no-immutable-context',
    what: 'a function folds the tenant into its plan',
    sql: `create function tenant_now() returns text language sql immutable as $$ select current_setting('app.tenant', true) $$`,
    object: 'tenant_now()',
  },
  {
    rule: 'no-immutable-context',
    what: 'so does one with a body that the server parsed',
    sql: `create function tenant_now() returns text language sql immutable return current_setting('app.tenant', true)`,
    object: 'tenant_now()',
  },
  {
    rule: 'functions-keep-context',
    what: 'a function sets the tenant by SET',
    sql: `create function leave() returns void language plpgsql as $$ begin set local app.tenant = 'somebody'; end $$`,
    object: 'leave()',
  },
  {
    rule: 'functions-keep-context',
    what: 'a function sets the tenant by set_config',
    sql: `create function leave(tenant text) returns text language sql as $$ select pg_catalog.set_config('app.tenant', tenant, true) $$`,
    object: 'leave(tenant text)',
  },
  {
    rule: 'functions-keep-context',
    what: 'a function has a tenant of its own',
    adminSql: `create function leave() returns bigint language sql set app.tenant = 'somebody' as $$ select count(*) from public.model_registry $$;
               alter function leave() owner to mcp_hub`,
    object: 'leave()',
  },
  ...leavesContext.map(([what, sql, also]) => ({
    rule: 'functions-keep-context',
    what: `a function leaves its tenant ${what}`,
    sql,
    object: /app_set_tenant\(tenant text, forever/.test(sql)
      ? 'app_set_tenant(tenant text, forever boolean)'
      : 'leave()',
    ...(also === undefined ? {} : { also }),
  })),
  {
    rule: 'functions-keep-context',
    what: 'an aggregate sets the tenant by set_config',
    sql: `create aggregate leave(text, boolean) (sfunc = set_config, stype = text, initcond = 'app.tenant')`,
    object: 'leave(text, boolean)',
  },
  {
    rule: 'expressions-keep-context',
    what: 'a view sets the tenant',
    sql: `create view leave with (security_invoker = true) as select tenant_id, set_config('app.tenant', 'somebody', true) from model_tags`,
    object: 'view leave',
  },
  {
    rule: 'expressions-keep-context',
    what: 'a default sets the tenant',
    sql: `alter table model_tags add column note text default set_config('app.tenant', 'somebody', true)`,
    object: 'model_tags.note',
  },
  {
    rule: 'no-dynamic-sql',
    what: 'a function runs the text that it is given',
    sql: 'create function run(what text) returns void language plpgsql as $$ begin execute what; end $$',
    object: 'run(what text)',
  },
  {
    rule: 'no-dynamic-sql',
    what: 'a function has a query run by another',
    sql: 'create function run(what text) returns xml language sql as $$ select query_to_xml(what, true, true, $1) $$',
    object: 'run(what text)',
  },
  {
    rule: 'function-languages',
    what: 'a function is the server’s own under another name',
    adminSql: `create function leave(text, text, boolean) returns text language internal as 'set_config_by_name'; alter function leave(text, text, boolean) owner to mcp_hub`,
    object: 'leave(text, text, boolean)',
    also: ['functions-keep-context'],
  },
];
