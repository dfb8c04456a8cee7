import { quoteLiteral } from '../quote.ts';
import { type Actor, newTenant, type ProbeRuleName, type Prober } from './prober.ts';

/** What two tenants, and a session without one, may do to one table and what not; `values` are a row's beside its tenant. */
export async function probeTable(
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
