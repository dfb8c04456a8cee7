export { exitCodes, type MigrateExitCode, MigrateError } from './errors.ts';
