export * from './columns.ts';
export * from './connect.ts';
export type { CopyValue } from './copy-format.ts';
export type { Database } from './database.ts';
export * from './errors.ts';
export { compileFilter } from './filter/compile-filter.ts';
export {
  booleanField,
  childRows,
  defineFilterFields,
  enumField,
  type FilterFields,
  mapField,
  numberField,
  textField,
  timeField,
  uuidField,
} from './filter/filter-fields.ts';
export { FILTER_LIMITS } from './filter/filter-limits.ts';
export type { Filter, FilterInput } from './filter/filter-node.ts';
export { readFilter } from './filter/read-filter.ts';
export * from './ids.ts';
export type { Logger } from './logger.ts';
export * from './outbox.ts';
export { defineOrder, type OrderInput, readOrder } from './paging/order.ts';
export { type Page, type PageInput, page } from './paging/page.ts';
export { PAGING_LIMITS } from './paging/paging-limits.ts';
export * from './parameters.ts';
export { jsonInput, nameInput, parseInput, textInput } from './parse-input.ts';
export type { RetryOptions } from './retry.ts';
export * from './schema.ts';
export * from './stage-rows.ts';
export * from './stream-rows.ts';
export * from './tenant-id.ts';
export * from './tenant-table.ts';
export { type TenantTx, tenantOf } from './tenant-tx.ts';
export * from './with-tenant.ts';
