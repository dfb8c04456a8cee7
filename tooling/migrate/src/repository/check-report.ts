/**
 * `schema`: drizzle-kit's diff is empty and the folder is whole. `replay`: the files make what schema.txt and listing/ say.
 * `declared`: the files make what the packages declare. `live`: so does the live database.
 */
export type CheckComparison = 'schema' | 'replay' | 'declared' | 'live';

export interface CheckProblem {
  readonly comparison: CheckComparison;
  /** Stable and in snake_case. */
  readonly code: string;
  readonly message: string;
  /** Lines of the listing (or statements of drizzle-kit) that should be there and are not. */
  readonly missing: readonly string[];
  /** Lines that are there and should not. */
  readonly unexpected: readonly string[];
}

export interface CheckReport {
  readonly ok: boolean;
  /** What was compared; the rest had no server or no database to look at. */
  readonly compared: readonly CheckComparison[];
  readonly problems: readonly CheckProblem[];
}
