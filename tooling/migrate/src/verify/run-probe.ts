import type { Catalog } from './catalog.ts';
import type { VerifyClient } from './load-catalog.ts';
import { probeContextFunction } from './probe-context-function.ts';
import { readEveryTable, readers } from './probe-every-table.ts';
import { probeTable } from './probe-table.ts';
import { asOwner, asRuntime, inSavepoint, type ProbeFinding, type Prober } from './prober.ts';

/** Tables into which a row can be put by hand, and with what beside its tenant; the seed's own probe is the first. */
const probeRows = [
  { table: 'model_registry', values: { name: 'test_model', version: 'v1' } },
  { table: 'tenants', values: {} },
] as const;

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
  const login = asOwner(catalog.server.login);
  // First of all, while the session may not have had a tenant yet: the setting is NULL then, and '' ever after.
  await scoped(() => readEveryTable(prober, catalog, login.name, 'before any tenant was set', []));
  for (const { role, context, statements } of readers(login)) {
    await scoped(() => readEveryTable(prober, catalog, role, context, statements));
  }
  await scoped(() => probeContextFunction(prober));
  for (const row of probeRows) {
    if (!catalog.relations.some(({ name }) => name === row.table)) continue;
    for (const actor of [login, asRuntime]) await scoped(() => probeTable(prober, actor, row.table, row.values));
  }
  return findings;
}
