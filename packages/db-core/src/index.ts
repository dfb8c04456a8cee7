export * from './columns.ts';
export * from './errors.ts';
export * from './ids.ts';
export type { Logger } from './logger.ts';
export * from './schema.ts';
export * from './tenant-id.ts';
export * from './tenant-table.ts';
