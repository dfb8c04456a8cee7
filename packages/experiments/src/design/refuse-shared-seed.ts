import { DomainError } from '@mcp-hub/db-core';

/**
 * A holdout takes the lowest places of its hash. Under the same seed these are the places of the first variant, which would
 * lose its units to the holdout.
 *
 * @throws DomainError `invalid_input`.
 */
export function refuseSharedSeed(seed: string, holdouts: readonly { readonly seed: string }[]): void {
  if (!holdouts.some((holdout) => holdout.seed === seed)) return;
  throw new DomainError('invalid_input', 'The seed must differ from those of the holdouts.', {
    details: { field: 'seed' },
  });
}
