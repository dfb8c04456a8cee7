import { PostgresToolError } from './errors.ts';

export type PostgresMajor = 15 | 16 | 17 | 18;

export const POSTGRES_MAJORS: readonly PostgresMajor[] = [15, 16, 17, 18];

export const DEFAULT_MAJOR: PostgresMajor = 18;

/** Reads a major as the environment gives it (PG_MAJOR); undefined and '' mean the default. */
export function parsePostgresMajor(text: string | undefined): PostgresMajor {
  if (text === undefined || text === '') return DEFAULT_MAJOR;
  const major = POSTGRES_MAJORS.find((known) => String(known) === text);
  if (major === undefined) {
    throw new PostgresToolError(
      'bad_option',
      `There is no embedded PostgreSQL "${text}": PG_MAJOR is one of ${POSTGRES_MAJORS.join(', ')}.`,
    );
  }
  return major;
}
