import { quoteIdentifier, quoteLiteral } from '../quote.ts';
import type { Catalog } from './catalog.ts';
import { type Actor, asRuntime, newTenant, type Prober } from './prober.ts';
import { allTables } from './select.ts';

/** The roles that read, with and without a tenant, and how each comes to be so. */
export function readers(
  login: Actor,
): readonly { readonly role: string; readonly context: string; readonly statements: readonly string[] }[] {
  const tenant = newTenant(0);
  const fresh = `set local app.tenant = ${quoteLiteral(tenant)}`;
  const none = `set local app.tenant = ''`;
  return [
    { role: login.name, context: 'without a tenant', statements: [none] },
    { role: login.name, context: 'as a tenant without rows', statements: [fresh] },
    { role: 'app_tenant', context: 'without a tenant', statements: [none, 'set local role app_tenant'] },
    { role: 'app_tenant', context: 'as a tenant without rows', statements: [asRuntime.enter(tenant)] },
    { role: 'app_readonly', context: 'without a tenant', statements: [none, 'set local role app_readonly'] },
    { role: 'app_readonly', context: 'as a tenant without rows', statements: [fresh, 'set local role app_readonly'] },
  ];
}

/** Who has no tenant, or one that never wrote, sees no row in any table, view or partition. */
export async function readEveryTable(
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
