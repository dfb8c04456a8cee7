import type { Environment } from '../environment.ts';
import type { Output } from '../output.ts';

/** What every command gets. */
export interface CommandContext {
  readonly environment: Environment;
  readonly output: Output;
  /** `--yes` was given. */
  readonly yes: boolean;
}

/** The command line of one command, read. */
export interface CommandInput {
  readonly arguments: readonly string[];
  /** The text of an option; undefined when it was not given. */
  text(name: string): string | undefined;
  /** All texts of an option that may be given more than once. */
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

/** One `db:*` command: what it takes and what it does. */
export interface CommandDefinition {
  readonly name: string;
  readonly summary: string;
  /** As commander writes them: `<login>` has to be there, `[parts...]` is a list that may be empty. */
  readonly arguments?: readonly (readonly [syntax: string, text: string])[];
  readonly options?: readonly (readonly [syntax: string, text: string])[];
  /** What `--yes` is for in the command's help; without it the help leaves the option out. */
  readonly yes?: string;
  /** Options of every command that mean nothing in this one. */
  readonly without?: readonly ('env' | 'json')[];
  /** Everything after the first argument goes on to another program. */
  readonly passThrough?: boolean;
  /** Gives the exit code; nothing means 0. */
  run(context: CommandContext, input: CommandInput): Promise<number | undefined>;
}
