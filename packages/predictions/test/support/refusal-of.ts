import { DomainError } from '@mcp-hub/db-core';
import { failureOf } from '@mcp-hub/testing';

/** The DomainError that `work` is refused with; any other outcome fails the test. */
export async function refusalOf(work: PromiseLike<unknown>): Promise<DomainError> {
  const failure = await failureOf(work);
  if (failure instanceof DomainError) return failure;
  throw failure;
}
