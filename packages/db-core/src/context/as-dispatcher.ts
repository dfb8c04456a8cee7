import type { Row } from 'postgres';
import { DomainError, isDomainError } from '../errors.ts';
import type { Database } from './database.ts';
import { runTransaction } from './transaction.ts';
import type { RowShape } from './wire.ts';

/**
 * Runs one SELECT as app_dispatcher, who may look at all tenants' rows of `tenants` and `tenant_work` and at nothing
 * else: a read-only transaction in one round trip.
 *
 * @throws DomainError `permission_denied` where the login may not become app_dispatcher.
 */
export async function asDispatcher(
  db: Database,
  text: string,
  parameters: readonly unknown[],
  shape: RowShape = 'objects',
): Promise<readonly Row[]> {
  const head = [{ text: 'set local role app_dispatcher', parameters: [] }];
  try {
    return await runTransaction(db, { readOnly: true, oneStatement: true, head }, (connection) =>
      connection.run(text, parameters, shape),
    );
  } catch (error) {
    if (!isDomainError(error, 'permission_denied')) throw error;
    throw new DomainError(
      'permission_denied',
      'This login may not look for work of all tenants: make it a member of app_dispatcher by db:grant-runtime.',
      { cause: error },
    );
  }
}
