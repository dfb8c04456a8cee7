import { quoteLiteral } from '../quote.ts';
import { asRuntime, newTenant, type Prober } from './prober.ts';

/** app_set_tenant takes any id as it is, refuses what is none, and leaves the transaction as app_tenant. */
export async function probeContextFunction(prober: Prober): Promise<void> {
  const object = 'app_set_tenant';
  const rule = 'probe-context-function';
  const bad = [`''`, 'null', `repeat('x', 129)`, `'a' || chr(10)`, `' a'`, `'a' || chr(8232)`, `'a' || chr(65533)`];
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
  const done = await prober.attempt(asRuntime.enter(tenant));
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
