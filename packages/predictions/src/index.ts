export * from './cache/cache-policies.ts';
export { flushCacheUsage } from './cache/cache-usage.ts';
export * from './cache/get-cache-stats.ts';
export * from './cache/invalidate-cache.ts';
export * from './cache/prune-cache.ts';
export { CACHE_PRUNE_KIND } from './cache/schedule-cache-prune.ts';
export * from './cache/with-cache.ts';
export * from './exports/export-predictions.ts';
export * from './jobs/batch-limit.ts';
export type { BatchCounts, BatchProgress } from './jobs/batch-progress.ts';
export { type BatchRow, BatchRowInput } from './jobs/batch-row.ts';
export * from './jobs/batch-worker-options.ts';
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
export * from './jobs/delete-batch-job.ts';
export * from './jobs/fail-chunk.ts';
export * from './jobs/format-batch-progress.ts';
export * from './jobs/get-batch-job.ts';
export { legalBatchJobMoves } from './jobs/legal-moves.ts';
export * from './jobs/list-batch-job-events.ts';
export * from './jobs/list-dead-letters.ts';
export type { SubmittedBatchJob } from './jobs/publish-job.ts';
export * from './jobs/retry-dead-letters.ts';
export * from './jobs/run-batch-worker.ts';
export * from './jobs/steer-batch-job.ts';
export { SubmitBatchJobInput, submitBatchJob } from './jobs/submit-batch-job.ts';
export * from './jobs/submit-batch-rows.ts';
export * from './jobs/sweep-batch-job.ts';
export * from './ledger/count-scores.ts';
export * from './ledger/iterate-predictions.ts';
export * from './ledger/labelled-predictions.ts';
export * from './ledger/labels.ts';
export * from './ledger/ledgers.ts';
export {
  GetPredictionInput,
  getPrediction,
  ListPredictionsInput,
  listPredictions,
  predictionFields,
} from './ledger/list-predictions.ts';
export type { Prediction, PredictionTruth } from './ledger/prediction.ts';
export { type FeatureValue, PredictionInput } from './ledger/prediction-input.ts';
export * from './ledger/prune-predictions.ts';
export * from './ledger/read-traffic.ts';
export * from './ledger/record-labels.ts';
export * from './ledger/record-predictions.ts';
export * from './ledger/watch-ledger.ts';
export * from './limits.ts';
export * from './schema.ts';
export * from './writer/create-prediction-writer.ts';
export type { PredictionWriter, WaitOptions, WrittenPrediction } from './writer/create-writer.ts';
export type { TakenPrediction, WriterPrediction } from './writer/queued-prediction.ts';
export { CloseWriterInput, PredictionWriterOptions, type RejectedPrediction } from './writer/writer-options.ts';
export type { Backlog } from './writer/writer-queue.ts';
