export { exitCodes, type MigrateExitCode, MigrateError } from './errors.ts';
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
