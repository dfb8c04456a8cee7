export * from './cache/cache-policies.ts';
export { flushCacheUsage } from './cache/cache-usage.ts';
export * from './cache/get-cache-stats.ts';
export * from './cache/invalidate-cache.ts';
export * from './cache/prune-cache.ts';
export { CACHE_PRUNE_KIND } from './cache/schedule-cache-prune.ts';
export * from './cache/with-cache.ts';
export type { BatchCounts, BatchProgress } from './jobs/batch-progress.ts';
export { type BatchRow, BatchRowInput } from './jobs/batch-row.ts';
export {
  ChunkLease,
  HeartbeatChunkInput,
  type HeldChunk,
  heartbeatChunk,
  ReleaseChunkInput,
  releaseChunk,
} from './jobs/chunk-lease.ts';
export { ClaimChunkInput, type ClaimedChunk, claimChunk } from './jobs/claim-chunk.ts';
export { CompleteChunkInput, type CompletedChunk, completeChunk, RowResult } from './jobs/complete-chunk.ts';
export * from './jobs/fail-chunk.ts';
export * from './jobs/get-batch-job.ts';
export { legalBatchJobMoves } from './jobs/legal-moves.ts';
export type { SubmittedBatchJob } from './jobs/publish-job.ts';
export { SubmitBatchJobInput, submitBatchJob } from './jobs/submit-batch-job.ts';
export { type FeatureValue, PredictionInput } from './ledger/prediction-input.ts';
export * from './ledger/record-predictions.ts';
export * from './limits.ts';
export * from './schema.ts';
