export * from './invalidate-aggregates.ts';
export * from './limits.ts';
export { TELEMETRY_REFRESH_KIND } from './note-refresh.ts';
export * from './record-telemetry.ts';
export * from './refresh-aggregates.ts';
export * from './run-telemetry-refresh.ts';
export * from './schema.ts';
