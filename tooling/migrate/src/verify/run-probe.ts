import { randomUUID } from 'node:crypto';
import { quoteIdentifier, quoteLiteral } from '../quote.ts';
import { errorCodeOf } from '../connection-error.ts';
import type { Catalog } from './catalog.ts';
import type { VerifyClient } from './load-catalog.ts';
import type { Finding } from './rule.ts';
import { allTables } from './select.ts';

export type ProbeRuleName =
  | 'probe-two-tenants'
  | 'probe-without-tenant'
  | 'probe-cross-tenant'
  | 'probe-every-table'
  | 'probe-context-function';

export interface ProbeFinding extends Finding {
  readonly rule: ProbeRuleName;
}

/** Tables into which a row can be put by hand, and with what beside its tenant; the seed's own probe is the first. */
const probeRows = [
  { table: 'model_registry', values: { name: 'test_model', version: 'v1' } },
  { table: 'tenants', values: {} },
] as const;

interface Prober {
  /** Runs one statement; when it fails, the transaction is as before it. */
  attempt(
    text: string,
  ): Promise<
    { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly count: number } | { readonly code: string }
  >;
  report(rule: ProbeRuleName, object: string, message: string): void;
}

/** How a login comes to act for a tenant. */
interface Actor {
  readonly name: string;
  enter(tenant: string): string;
}

const owner = (login: string): Actor => ({
  name: login,
  enter: (tenant) => `set local app.tenant = ${quoteLiteral(tenant)}`,
});
const runtime: Actor = {
  name: 'app_tenant',
  enter: (tenant) => `select public.app_set_tenant(${quoteLiteral(tenant)})`,
};

/**
 * Does what the policies have to allow and what they have to refuse, for two tenants that exist nowhere else: as the
 * owner with SET app.tenant (the seed's psql probe) and as app_tenant. Needs an open transaction, in which nothing stays.
 */
export async function runProbe(client: VerifyClient, catalog: Catalog): Promise<readonly ProbeFinding[]> {
  const findings: ProbeFinding[] = [];
  const prober: Prober = {
    attempt: (text) => inSavepoint(client, text),
    report: (rule, object, message) => findings.push({ rule, object, message }),
  };
  const scoped = async (work: () => Promise<void>): Promise<void> => {
    await client.unsafe('savepoint verify_probe');
    try {
      // The planner takes a sequential scan where it expects to meet a row soon, and here there is none.
      await client.unsafe('set local enable_seqscan = off');
      await client.unsafe(`set local row_security = on`);
      await client.unsafe(`set local search_path = public, pg_temp`);
      await client.unsafe(`set local lock_timeout = '5s'`);
      await work();
    } finally {
      await client.unsafe('rollback to savepoint verify_probe');
      await client.unsafe('release savepoint verify_probe');
    }
  };
  const login = owner(catalog.server.login);
  // First of all, while the session may not have had a tenant yet: the setting is NULL then, and '' ever after.
  await scoped(() => readEveryTable(prober, catalog, login.name, 'before any tenant was set', []));
  for (const { label, statements } of readers(login)) {
    const [role = ''] = label;
    await scoped(() => readEveryTable(prober, catalog, role, label[1] ?? '', statements));
  }
  await scoped(() => probeContextFunction(prober));
  for (const row of probeRows) {
    if (!catalog.relations.some(({ name }) => name === row.table)) continue;
    for (const actor of [login, runtime]) await scoped(() => probeTable(prober, actor, row.table, row.values));
  }
  return findings;
}

async function inSavepoint(client: VerifyClient, text: string): ReturnType<Prober['attempt']> {
  await client.unsafe('savepoint verify_step');
  try {
    const rows = await client.unsafe(text);
    await client.unsafe('release savepoint verify_step');
    return { rows, count: rows.count };
  } catch (error) {
    // Only the code goes on: a message of the server may hold values.
    const code = errorCodeOf(error);
    if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) throw error;
    await client.unsafe('rollback to savepoint verify_step');
    return { code };
  }
}

const newTenant = (number: number) => `verify-${randomUUID()}-${number}`;

function readers(
  login: Actor,
): readonly { readonly label: readonly [string, string]; readonly statements: readonly string[] }[] {
  const tenant = newTenant(0);
  const fresh = `set local app.tenant = ${quoteLiteral(tenant)}`;
  const none = `set local app.tenant = ''`;
  return [
    { label: [login.name, 'without a tenant'], statements: [none] },
    { label: [login.name, 'as a tenant without rows'], statements: [fresh] },
    { label: ['app_tenant', 'without a tenant'], statements: [none, 'set local role app_tenant'] },
    { label: ['app_tenant', 'as a tenant without rows'], statements: [runtime.enter(tenant)] },
    { label: ['app_readonly', 'without a tenant'], statements: [none, 'set local role app_readonly'] },
    { label: ['app_readonly', 'as a tenant without rows'], statements: [fresh, 'set local role app_readonly'] },
  ];
}

/** Who has no tenant, or one that never wrote, sees no row in any table, view or partition. */
async function readEveryTable(
  prober: Prober,
  catalog: Catalog,
  role: string,
  context: string,
  statements: readonly string[],
): Promise<void> {
  for (const statement of statements) {
    const done = await prober.attempt(statement);
    if ('code' in done) {
      prober.report(
        'probe-every-table',
        `role ${role}`,
        `could not be entered ${context} (${done.code}). Run: grant ${role} to ${catalog.server.login};`,
      );
      return;
    }
  }
  const names = [...allTables(catalog), ...catalog.relations.filter(({ kind }) => kind === 'v')].map(
    ({ name }) => name,
  );
  if (names.length === 0) return;
  const look = (name: string) =>
    `select ${quoteLiteral(name)}::text as name where exists (select from public.${quoteIdentifier(name)})`;
  const all = await prober.attempt(names.map(look).join(' union all '));
  // A table that the role may not read ends the whole statement; then they are asked one by one.
  const answers = 'code' in all ? await oneByOne(prober, names, look) : [all];
  for (const { rows } of answers) {
    for (const row of rows) {
      prober.report(
        'probe-every-table',
        String(row['name']),
        `shows rows to ${role} ${context}. Look at the findings of the other rules.`,
      );
    }
  }
}

async function oneByOne(
  prober: Prober,
  names: readonly string[],
  look: (name: string) => string,
): Promise<readonly { readonly rows: readonly Readonly<Record<string, unknown>>[] }[]> {
  const answers: { readonly rows: readonly Readonly<Record<string, unknown>>[] }[] = [];
  for (const name of names) {
    const answer = await prober.attempt(look(name));
    if (!('code' in answer)) answers.push(answer);
    else if (answer.code !== '42501') {
      prober.report('probe-every-table', name, `could not be read (${answer.code}).`);
    }
  }
  return answers;
}

async function probeTable(
  prober: Prober,
  actor: Actor,
  table: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const [first, second] = [newTenant(1), newTenant(2)];
  const as = `as ${actor.name}`;
  const names = Object.keys(values);
  const list = (entries: readonly string[]) => entries.join(', ');
  const insertFor = (tenant: string) =>
    `insert into public.${table} (${list(['tenant_id', ...names])}) values (${list([tenant, ...Object.values(values)].map(quoteLiteral))})`;
  const insertUnnamed =
    names.length === 0
      ? `insert into public.${table} default values`
      : `insert into public.${table} (${list(names)}) values (${list(Object.values(values).map(quoteLiteral))})`;
  const count = async (): Promise<number | string> => {
    const seen = await prober.attempt(`select count(*)::int as rows from public.${table}`);
    return 'code' in seen ? `an error (${seen.code})` : Number(seen.rows[0]?.['rows']);
  };
  const expectCount = async (rule: ProbeRuleName, who: string, wanted: number): Promise<void> => {
    const seen = await count();
    if (seen !== wanted)
      prober.report(
        rule,
        table,
        `${as}, ${who} sees ${typeof seen === 'number' && seen > wanted ? 'rows of others' : seen} instead of ${wanted} rows.`,
      );
  };
  const expectRefusal = async (
    rule: ProbeRuleName,
    text: string,
    codes: readonly string[],
    what: string,
  ): Promise<void> => {
    const done = await prober.attempt(text);
    if ('code' in done ? !codes.includes(done.code) : done.count > 0) {
      prober.report(
        rule,
        table,
        `${as}, ${what} is not refused by the policy${'code' in done ? ` (but ends with ${done.code})` : ''}.`,
      );
    }
  };

  const entered = await prober.attempt(actor.enter(first));
  if ('code' in entered) {
    prober.report('probe-two-tenants', table, `${as}, no tenant could be entered (${entered.code}).`);
    return;
  }
  const inserted = await prober.attempt(insertFor(first));
  if ('code' in inserted) {
    prober.report('probe-two-tenants', table, `${as}, a tenant could not insert a row of its own (${inserted.code}).`);
    return;
  }
  await prober.attempt(actor.enter(second));
  await expectCount('probe-two-tenants', 'another tenant', 0);
  const denied = ['42501'];
  await expectRefusal('probe-cross-tenant', insertFor(first), denied, 'an insert for another tenant');
  await expectRefusal(
    'probe-cross-tenant',
    `update public.${table} set tenant_id = ${quoteLiteral(second)} where tenant_id = ${quoteLiteral(first)}`,
    denied,
    'taking a row of another tenant',
  );
  await expectRefusal(
    'probe-cross-tenant',
    `delete from public.${table} where tenant_id = ${quoteLiteral(first)}`,
    denied,
    'deleting a row of another tenant',
  );
  await prober.attempt(actor.enter(first));
  await expectCount('probe-two-tenants', 'the tenant that inserted', 1);
  await expectRefusal(
    'probe-cross-tenant',
    `update public.${table} set tenant_id = ${quoteLiteral(second)} where tenant_id = ${quoteLiteral(first)}`,
    denied,
    'giving a row to another tenant',
  );
  await prober.attempt(`set local app.tenant = ''`);
  await expectCount('probe-without-tenant', 'a session without a tenant', 0);
  const without = ['42501', '23514', '42704'];
  await expectRefusal('probe-without-tenant', insertUnnamed, without, 'an insert without a tenant');
  await expectRefusal(
    'probe-without-tenant',
    insertFor(first),
    without,
    'an insert without a context that names a tenant',
  );
}

/** app_set_tenant takes any id as it is, refuses what is none, and leaves the transaction as app_tenant. */
async function probeContextFunction(prober: Prober): Promise<void> {
  const object = 'app_set_tenant';
  const rule = 'probe-context-function';
  const bad = [`''`, 'null', `repeat('x', 129)`, `'a' || chr(10)`];
  for (const value of bad) {
    const done = await prober.attempt(`select public.app_set_tenant(${value})`);
    if (!('code' in done) || done.code !== '22023') {
      prober.report(
        rule,
        object,
        `does not refuse the tenant id ${value} with 22023${'code' in done ? ` but with ${done.code}` : ''}.`,
      );
    }
  }
  const tenant = `it's "\\ %L $1 ${newTenant(0)}`;
  const done = await prober.attempt(runtime.enter(tenant));
  if ('code' in done) {
    prober.report(
      rule,
      object,
      `cannot be run by the owner (${done.code}). Look at the findings about the runtime roles.`,
    );
    return;
  }
  const state = await prober.attempt(
    `select current_setting('app.tenant', true) = ${quoteLiteral(tenant)} as same, current_user = 'app_tenant' as entered`,
  );
  const row = 'code' in state ? undefined : state.rows[0];
  if (row?.['same'] !== true) prober.report(rule, object, 'does not set app.tenant to the id that it is given.');
  if (row?.['entered'] !== true) prober.report(rule, object, 'does not leave the transaction as app_tenant.');
}
