/** All tables of this package, for drizzle-kit, Studio and `@mcp-hub/experiments/schema`. */
export * from './design/schema.ts';
export * from './lifecycle/schema.ts';
