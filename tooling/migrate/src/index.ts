export { type AppliedMigration } from './apply-migration.ts';
export { type BaselineOptions, type BaselineReport, baseline } from './baseline.ts';
export { type CheckOptions, check } from './check.ts';
export type { CheckComparison, CheckProblem, CheckReport } from './check-report.ts';
export { runCli } from './cli.ts';
export { type DryRunFile, type DryRunReport, dryRun } from './dry-run.ts';
export { findTarget, loadEnvironment } from './environment.ts';
export { exitCodes, MigrateError, type MigrateExitCode } from './errors.ts';
export { type GenerateOptions, type GenerateReport, generate } from './generate.ts';
export { type GrantRuntimeOptions, type GrantRuntimeReport, grantRuntime } from './grant-runtime.ts';
export { formatListing, type ListingClient, parseListing, readListing } from './listing.ts';
export {
  diffListings,
  emptyChange,
  formatListingChange,
  isEmptyChange,
  type ListingChange,
  parseListingChange,
  readListingChange,
  sumListingChanges,
} from './listing-change.ts';
export { type MigrateEvent, type MigrateOptions, type MigrateReport, migrate } from './migrate.ts';
export {
  checksumOf,
  type FolderProblem,
  findFolderProblems,
  formatMigrationNumber,
  type MigrationFile,
  type MigrationsFolder,
  parseMigrationName,
  readMigrationsFolder,
  readMigrationsFolderUnchecked,
} from './migrations-folder.ts';
export { type ReleaseReport, release } from './release.ts';
export { type RollbackOptions, type RollbackReport, rollback } from './rollback.ts';
export { readStatus, type StatusEntry, type StatusReport } from './status.ts';
