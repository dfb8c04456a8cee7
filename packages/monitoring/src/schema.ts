/** All tables of this package, for drizzle-kit, Studio and `@mcp-hub/monitoring/schema`. */
export * from './baselines/schema.ts';
export * from './drift/schema.ts';
export * from './performance/schema.ts';
