import type { Database, DomainError, Logger } from '@mcp-hub/db-core';
import { type CommandContext, describeServer, exitCodes, findTarget, MigrateError } from '@mcp-hub/migrate/repository';

// Loaded when a command runs: the other db:* commands do without it.
type Core = typeof import('@mcp-hub/db-core');

/** Runs `work` on the database of the environment, as its owner, and makes a MigrateError of what it is refused with. */
export async function withDatabase<Result>(
  { environment, output }: CommandContext,
  work: (db: Database, core: Core) => Promise<Result>,
): Promise<Result> {
  const { ownerUrl } = await findTarget(environment);
  const core = await import('@mcp-hub/db-core');
  // Not of the login: it is the owner's, and is to be.
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (facts, message) => output.error(describe(facts, message)),
  };
  const refuse = (error: unknown, explain: (error: DomainError) => MigrateError | undefined): never => {
    throw (core.isDomainError(error) ? explain(error) : undefined) ?? error;
  };
  const db = await core
    .connect({ url: ownerUrl, max: 1, applicationName: 'mcp-hub-db', logger })
    .catch((error) => refuse(error, (refusal) => explainConnect(refusal, ownerUrl)));
  try {
    return await work(db, core);
  } catch (error) {
    return refuse(error, explainWork);
  } finally {
    await db.close();
  }
}

function describe(facts: object, message: string): string {
  const { tenant, code, reason } = facts as Readonly<Record<'tenant' | 'code' | 'reason', string | undefined>>;
  return `${message}: ${[tenant, reason ?? code].filter((part) => part !== undefined).join(': ')}`;
}

function explainConnect(error: DomainError, url: string): MigrateError | undefined {
  if (error.code === 'invalid_input') return new MigrateError('invalid_url', error.message, exitCodes.usage);
  const sqlState = String(error.details['sqlState'] ?? '');
  if (error.code !== 'unavailable' && !/^(28|3D)/.test(sqlState)) return explainWork(error);
  const message = `Cannot work with the database ${describeServer(url)}: ${error.message}`;
  return new MigrateError('unreachable', message, exitCodes.unreachable, { cause: error });
}

const notMigrated = new Set<unknown>(['42P01', '42883', '42704']);

function explainWork(error: DomainError): MigrateError | undefined {
  if (notMigrated.has(error.details['sqlState'])) {
    return new MigrateError('not_migrated', 'The migrations are not applied here. Run db:migrate first.');
  }
  if (error.code === 'invalid_input') return new MigrateError(error.code, error.message, exitCodes.usage);
  if (error.code === 'internal' || error.code === 'unavailable') return undefined;
  return new MigrateError(error.code, error.message, exitCodes.refused);
}
