import { DomainError, isLeaseLost, pause, type TenantTx } from '@mcp-hub/db-core';
import { type ChunkLease, chunkLeaseLost, heartbeatChunk } from './chunk-lease.ts';

/** Why predict's signal aborts where its job was paused. */
const jobPaused = () =>
  new DomainError('failed_precondition', 'The job was paused.', { details: { reason: 'job_paused' } });

export interface HeldLease {
  /** Ends the heartbeats. */
  stop(): Promise<void>;
}

/**
 * Renews a chunk's lease until it is stopped, and aborts where the lease was lost or the job paused. The database may be
 * away for as long as the lease lasts.
 */
export function holdChunk(
  inTenant: <Result>(work: (tx: TenantTx) => Promise<Result>) => Promise<Result>,
  lease: ChunkLease,
  { leaseMs, watchMs }: { readonly leaseMs: number; readonly watchMs: number },
  abort: AbortController,
): HeldLease {
  const stopped = new AbortController();
  const beats = async () => {
    let heldUntil = performance.now() + leaseMs;
    for (;;) {
      await pause(Math.min(watchMs, Math.ceil(leaseMs / 3)), stopped.signal);
      if (stopped.signal.aborted) return;
      const began = performance.now();
      try {
        const { jobStatus } = await inTenant((tx) => heartbeatChunk(tx, { lease, leaseMs }));
        heldUntil = began + leaseMs;
        if (jobStatus === 'paused') abort.abort(jobPaused());
      } catch (error) {
        if (isLeaseLost(error) || performance.now() > heldUntil) {
          abort.abort(chunkLeaseLost());
          return;
        }
      }
    }
  };
  const done = beats();
  return {
    stop: async () => {
      stopped.abort();
      await done;
    },
  };
}
