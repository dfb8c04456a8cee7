/** All tables of this package, for drizzle-kit, Studio and `@mcp-hub/monitoring/schema`. */
export * from './alerts/schema.ts';
export * from './baselines/schema.ts';
export * from './drift/schema.ts';
export * from './notifications/schema.ts';
export * from './performance/schema.ts';
export * from './rules/schema.ts';
export * from './silences/schema.ts';
