import { openSession } from '../connection.ts';
import { MigrateError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { readHistoryFacts } from './history-facts.ts';
import { loadCatalog, type VerifyClient } from './load-catalog.ts';
import type { Finding } from './rule.ts';
import { verifyRules } from './rules.ts';
import { runProbe } from './run-probe.ts';
import { allTables } from './select.ts';

export interface VerifyOptions {
  /** The owner's URL. */
  readonly url: string;
  /** The folder `migrations/`. */
  readonly directory: string;
}

interface RuleResult {
  readonly name: string;
  readonly protects: string;
  /** Empty when the rule holds. */
  readonly findings: readonly Finding[];
}

export interface VerifyReport {
  readonly database: string;
  readonly login: string;
  /** Tables and partitions that were looked at, without migration_history. */
  readonly tables: number;
  readonly rules: readonly RuleResult[];
  /** Whether all rules hold. */
  readonly ok: boolean;
  readonly durationMs: number;
}

/**
 * Reads the catalog of a live database, its history and its listing, tries the two-tenant probe, and says which rules do
 * not hold. One transaction, always rolled back. Holds no value of a tenant's rows.
 *
 * Refuses a superuser or BYPASSRLS login (`privileged_login`) and one that does not own the tables (`not_owner`); both say
 * which login to use.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const session = await openSession(options.url, { applicationName: 'mcp-hub-verify', allowPrivileged: true });
  try {
    let report: VerifyReport | undefined;
    await session.sql
      .begin(async (transaction) => {
        report = await verifyWith(transaction, options.directory);
        throw new RolledBack();
      })
      .catch((error: unknown) => {
        if (!(error instanceof RolledBack)) throw error;
      });
    if (report === undefined) throw new Error('the transaction ended without a report');
    return report;
  } finally {
    await session.end();
  }
}

/** As `verify`, in a transaction that the caller has open and ends: it leaves search_path empty and nothing else behind. */
export async function verifyWith(client: VerifyClient, directory: string): Promise<VerifyReport> {
  const started = performance.now();
  const catalog = await loadCatalog(client);
  refuseLogin(catalog);
  const history = await readHistoryFacts(client, directory);
  const probe = allTables(catalog).length === 0 ? [] : await runProbe(client, catalog);
  const facts = { catalog, history, probe };
  const rules = verifyRules.map(({ name, protects, check }) => ({ name, protects, findings: check(facts) }));
  return {
    database: catalog.server.database,
    login: catalog.server.login,
    tables: allTables(catalog).length,
    rules,
    ok: rules.every(({ findings }) => findings.length === 0),
    durationMs: performance.now() - started,
  };
}

function refuseLogin({ server, relations }: Catalog): void {
  const history = relations.find(({ name }) => name === 'migration_history') ?? relations[0];
  const use =
    history === undefined || history.owner === server.login
      ? 'the owner of the database, a login without these rights'
      : `${history.owner}, which owns the tables`;
  if (server.privileged) {
    throw new MigrateError(
      'privileged_login',
      `${server.login} is a superuser or has BYPASSRLS: row level security does not hold for it, so nothing that it sees proves anything. Log in as ${use} (POSTGRES_URL).`,
    );
  }
  if (history !== undefined && history.owner !== server.login) {
    throw new MigrateError(
      'not_owner',
      `${server.login} does not own the tables of ${server.database}, so it sees too little of them. Log in as ${use} (POSTGRES_URL).`,
    );
  }
}

/** What ends the transaction: postgres.js commits unless its work throws. */
class RolledBack extends Error {}
