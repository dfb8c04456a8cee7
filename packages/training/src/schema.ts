/** All tables of this package, for drizzle-kit, Studio and `@mcp-hub/training/schema`. */
export * from './runs/schema.ts';
export * from './studies/schema.ts';
