export type { AppliedMigration } from './apply-migration.ts';
export { type BaselineOptions, type BaselineReport, baseline } from './baseline.ts';
export { type DryRunFile, type DryRunReport, dryRun } from './dry-run.ts';
export { exitCodes, MigrateError, type MigrateExitCode } from './errors.ts';
export { type GrantRuntimeOptions, type GrantRuntimeReport, grantRuntime } from './grant-runtime.ts';
export { type MigrateEvent, type MigrateOptions, type MigrateReport, migrate } from './migrate.ts';
export { packedMigrations } from './packed-migrations.ts';
export {
  type MaintainPartitionsOptions,
  maintainPartitions,
  type PartitionReport,
} from './partitions/maintain-partitions.ts';
export { readStatus, type StatusEntry, type StatusReport } from './status.ts';
