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
