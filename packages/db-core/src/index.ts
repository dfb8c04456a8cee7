export type { CopyValue } from './bulk/copy-format.ts';
export * from './bulk/stage-rows.ts';
export * from './bulk/stream-rows.ts';
export * from './context/connect.ts';
export type { Database } from './context/database.ts';
export type { RetryOptions } from './context/retry.ts';
export * from './context/tenant-id.ts';
export { type TenantTx, tenantOf } from './context/tenant-tx.ts';
export * from './context/with-tenant.ts';
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
  type TextStart,
  type TimeField,
  textField,
  timeField,
  type UuidField,
  uuidField,
} from './filter/filter-fields.ts';
export type { CheckedFilter, Filter, FilterInput, FilterNode } from './filter/filter-node.ts';
export { type MatchedValue, type MatchedValues, matchesFilter } from './filter/match-filter.ts';
export { readFilter } from './filter/read-filter.ts';
export * from './limits.ts';
export type { Logger } from './logger.ts';
export {
  defineList,
  type List,
  type ListColumns,
  type ListDefinition,
  type ListedTable,
  type PageClauses,
} from './paging/list.ts';
export { defineOrder, type OrderInput, readOrder } from './paging/order.ts';
export { PageInput } from './paging/page-input.ts';
export type { Page, PageRequest } from './paging/plan-page.ts';
export { readPage } from './paging/read-page.ts';
export * from './schema.ts';
export * from './table/columns.ts';
export * from './table/tenant-table.ts';
export * from './value/ids.ts';
export * from './value/parameters.ts';
export { jsonInput, keepsEachKey, nameInput, parseInput, textInput } from './value/parse-input.ts';
export { canonicalJson } from './value/strict-json.ts';
export { jsonText } from './value/value-text.ts';
export { deliverOutbox, type OutboxEvent, type OutboxOptions, outboxHandler } from './work/deliver-outbox.ts';
export { type DispatcherOptions, type DispatchOptions, dispatchWork, runDispatcher } from './work/dispatch.ts';
export * from './work/idempotency.ts';
export type { DispatchReport } from './work/kind-loop.ts';
export { type Look, lookForWork } from './work/look-for-work.ts';
export * from './work/outbox.ts';
export { pause } from './work/pause.ts';
export { type PrunedTenants, pruneTenants } from './work/prune-tenants.ts';
export { type Pruned, type PruneOptions, pruneTenant } from './work/retention.ts';
export type { AfterWork, DispatchHooks, WorkContext, WorkHandler, WorkOutcome } from './work/run-work.ts';
export { ScheduleWorkInput, scheduleWork, workRequest } from './work/schedule-work.ts';
export * from './work/tenants.ts';
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
  WorkFailure,
  WorkLease,
} from './work/work.ts';
export { WorkName } from './work/work-name.ts';
