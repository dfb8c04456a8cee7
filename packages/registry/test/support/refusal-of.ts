import { DomainError } from '@mcp-hub/db-core';

/** The DomainError that `work` is refused with; any other outcome fails the test. */
export async function refusalOf(work: Promise<unknown>): Promise<DomainError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
