export * from './cache/schema.ts';
export * from './jobs/schema.ts';
export * from './ledger/schema.ts';
