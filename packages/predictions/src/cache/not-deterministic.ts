import { DomainError } from '@mcp-hub/db-core';

export const notDeterministic = () =>
  new DomainError(
    'failed_precondition',
    'The version is not marked deterministic, so its outputs are not kept. Where the same input always gives the same output, mark it once: setCachePolicy(tx, { …, deterministic: true }).',
    { details: { reason: 'not_deterministic' } },
  );
