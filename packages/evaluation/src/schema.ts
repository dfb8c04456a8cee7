/** All tables of this package, for drizzle-kit, Studio and `@mcp-hub/evaluation/schema`. */
export * from './comparisons/schema.ts';
export * from './evaluations/schema.ts';
export * from './gates/schema.ts';
