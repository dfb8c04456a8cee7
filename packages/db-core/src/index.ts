export * from './columns.ts';
export * from './connect.ts';
export type { CopyValue } from './copy-format.ts';
export type { Database } from './database.ts';
export { deliverOutbox, type OutboxEvent, type OutboxOptions, outboxHandler } from './deliver-outbox.ts';
export { type DispatcherOptions, type DispatchOptions, dispatchWork, runDispatcher } from './dispatch.ts';
export * from './errors.ts';
export { compileFilter } from './filter/compile-filter.ts';
export {
  type BooleanField,
  booleanField,
  childRows,
  defineFilterFields,
  type EnumField,
  enumField,
  type FilterFields,
  type MapField,
  mapField,
  type NumberField,
  numberField,
  type TextField,
  type TimeField,
  textField,
  timeField,
  type UuidField,
  uuidField,
} from './filter/filter-fields.ts';
export { FILTER_LIMITS } from './filter/filter-limits.ts';
export type { Filter, FilterInput } from './filter/filter-node.ts';
export { readFilter } from './filter/read-filter.ts';
export * from './idempotency.ts';
export * from './ids.ts';
export type { DispatchReport } from './kind-loop.ts';
export type { Logger } from './logger.ts';
export * from './outbox.ts';
export { defineOrder, type OrderInput, readOrder } from './paging/order.ts';
export { type Page, page } from './paging/page.ts';
export { PageInput } from './paging/page-input.ts';
export { PAGING_LIMITS } from './paging/paging-limits.ts';
export * from './parameters.ts';
export { jsonInput, nameInput, parseInput, textInput } from './parse-input.ts';
export { type PrunedTenants, pruneTenants } from './prune-tenants.ts';
export { type Pruned, type PruneOptions, pruneTenant } from './retention.ts';
export type { RetryOptions } from './retry.ts';
export type { AfterWork, DispatchHooks, WorkContext, WorkHandler, WorkOutcome } from './run-work.ts';
export * from './schema.ts';
export * from './stage-rows.ts';
export * from './stream-rows.ts';
export * from './tenant-id.ts';
export * from './tenant-table.ts';
export { type TenantTx, tenantOf } from './tenant-tx.ts';
export * from './tenants.ts';
export * from './with-tenant.ts';
export {
  type Backoff,
  type ClaimedWork,
  ClaimWorkInput,
  cancelWork,
  claimWork,
  completeWork,
  extendLease,
  failWork,
  isLeaseLost,
  releaseWork,
  ScheduleWorkInput,
  scheduleWork,
  WorkFailure,
  WorkLease,
  WorkName,
} from './work.ts';
export { IDEMPOTENCY_LIMITS, OUTBOX_LIMITS, RETENTION_LIMITS, WORK_LIMITS } from './work-limits.ts';
