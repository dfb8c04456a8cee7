export { exitCodes, type MigrateExitCode, MigrateError } from './errors.ts';
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
export {
  checksumOf,
  findFolderProblems,
  type FolderProblem,
  formatMigrationNumber,
  type MigrationFile,
  type MigrationsFolder,
  parseMigrationName,
  readMigrationsFolder,
  readMigrationsFolderUnchecked,
} from './migrations-folder.ts';
export { type AppliedMigration } from './apply-migration.ts';
export { grantRuntime, type GrantRuntimeOptions, type GrantRuntimeReport } from './grant-runtime.ts';
export { migrate, type MigrateEvent, type MigrateOptions, type MigrateReport } from './migrate.ts';
export { readStatus, type StatusEntry, type StatusReport } from './status.ts';
export { baseline, type BaselineOptions, type BaselineReport } from './baseline.ts';
export { type DryRunFile, type DryRunReport, dryRun } from './dry-run.ts';
export { check, type CheckOptions } from './check.ts';
export type { CheckComparison, CheckProblem, CheckReport } from './check-report.ts';
export { generate, type GenerateOptions, type GenerateReport } from './generate.ts';
export { release, type ReleaseReport } from './release.ts';
