import { DomainError } from '../errors.ts';

export interface RetryOptions {
  /** Runs in all, at most 10. */
  readonly attempts: number;
  /** Milliseconds before the given attempt (2, 3, …). Default: up to 10 ms doubled each time, at random, at most 1 s. */
  readonly delayMs?: (attempt: number) => number;
}

const RETRY_ATTEMPTS_MAX = 10;

// Full jitter: two transactions that met once should not meet again.
const jittered = (attempt: number) => Math.random() * Math.min(1_000, 10 * 2 ** (attempt - 1));

/** Runs `work` again while it fails with a `conflict` that is marked retryable (40001, 40P01). */
export async function retrying<Result>(
  options: RetryOptions | undefined,
  work: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const attempts = options?.attempts ?? 1;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > RETRY_ATTEMPTS_MAX) {
    throw new DomainError('invalid_input', `retry.attempts must be a whole number from 1 to ${RETRY_ATTEMPTS_MAX}.`);
  }
  const delayMs = options?.delayMs ?? jittered;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      const again = error instanceof DomainError && error.details['retryable'] === true && attempt < attempts;
      if (!again) throw error;
      await new Promise((resolve) => setTimeout(resolve, delayMs(attempt + 1)));
    }
  }
}
