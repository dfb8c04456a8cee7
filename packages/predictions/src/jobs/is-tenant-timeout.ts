import { isDomainError } from '@mcp-hub/db-core';

/**
 * Whether a lock or statement took too long: a matter of one tenant, whose own transactions may hold its rows for as long
 * as they like, and not of the database.
 */
export const isTenantTimeout = (error: unknown): boolean =>
  isDomainError(error, 'unavailable') &&
  (error.details['sqlState'] === '55P03' || error.details['sqlState'] === '57014');
