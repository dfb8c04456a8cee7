import { DomainError } from '@mcp-hub/db-core';
import type { ModelStage } from './schema.ts';

/**
 * Where a version may go from each stage. What served comes back to development by way of the archive, and what is
 * archived comes back to production by way of staging, or by rollbackPromotion.
 */
export const legalMoves: Readonly<Record<ModelStage, readonly ModelStage[]>> = {
  development: ['staging', 'production', 'archived'],
  staging: ['development', 'production', 'archived'],
  production: ['staging', 'archived'],
  archived: ['development', 'staging'],
};

/** @throws DomainError `failed_precondition` that lists where the version may go. */
export function refuseIllegalMove(from: ModelStage, to: ModelStage): void {
  const legal = legalMoves[from];
  if (from === to || legal.includes(to)) return;
  throw new DomainError('failed_precondition', `A version in ${from} may go to: ${legal.join(', ')}; not to ${to}.`, {
    details: { from, to, legal },
  });
}
