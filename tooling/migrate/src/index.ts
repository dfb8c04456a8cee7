export { type AppliedMigration } from './apply-migration.ts';
export { type BaselineOptions, type BaselineReport, baseline } from './baseline.ts';
export { type DryRunFile, type DryRunReport, dryRun } from './dry-run.ts';
export { exitCodes, MigrateError, type MigrateExitCode } from './errors.ts';
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
export { packedMigrations } from './packed-migrations.ts';
export { readStatus, type StatusEntry, type StatusReport } from './status.ts';
