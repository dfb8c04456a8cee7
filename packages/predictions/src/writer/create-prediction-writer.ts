import { type Database, parseInput, toTenantId } from '@mcp-hub/db-core';
import { createWriter, type PredictionWriter } from './create-writer.ts';
import { flightTurnsOf } from './flight-turns.ts';
import { writeBatch } from './write-batch.ts';
import { PredictionWriterOptions } from './writer-options.ts';

/**
 * Opens a writer for one tenant. It writes one batch after the other, in the order of the calls; the writers of a pool
 * share some of its connections by turns, a batch each.
 *
 * An attempt that fails because the database is away or busy is made again until it succeeds or the writer is closed. Each
 * prediction has its id from when it was taken: where the answer to a COMMIT was lost, the next attempt adds nothing. What
 * the ledger refuses is handed to its caller, and the others of its batch are written. Inside of withTenant on the same
 * pool, do not await record, flush or close: they need a connection of their own.
 *
 * @throws DomainError `invalid_input` for options or a tenant id outside the limits.
 */
export function createPredictionWriter(
  db: Database,
  tenant: string,
  options: PredictionWriterOptions,
): PredictionWriter {
  const settings = parseInput(PredictionWriterOptions, options);
  const tenantId = toTenantId(tenant);
  const turns = flightTurnsOf(db);
  return createWriter(settings, (rows, how) => turns.take(() => writeBatch(db, tenantId, rows, how)));
}
