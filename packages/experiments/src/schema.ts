/** All tables of this package, for drizzle-kit, Studio and `@mcp-hub/experiments/schema`. */
export * from './assignment/schema.ts';
export * from './decisions/schema.ts';
export * from './design/schema.ts';
export * from './exposures/schema.ts';
export * from './lifecycle/schema.ts';
export * from './outcomes/schema.ts';
export * from './snapshots/schema.ts';
export * from './units/schema.ts';
