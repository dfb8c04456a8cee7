export type { CommandContext, CommandDefinition, CommandInput } from '../commands/command.ts';
export { describeServer } from '../connection-error.ts';
export { assertMayWrite, type Environment, findTarget } from '../environment.ts';
export { exitCodes, MigrateError } from '../errors.ts';
export { formatCount, formatTable, type Output, type OutputStreams } from '../output.ts';
export { findRepositoryTarget, runRepositoryCli } from './repository-cli.ts';
