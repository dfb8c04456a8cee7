import { type CategoryProfile, type Grid, type NumberProfile, type Profile } from '@mcp-hub/stats';
import type { ProfiledField, ProfiledKind } from './schema.ts';

/** A feature, score or label, and the bins that it is counted in. */
export interface FieldGrid {
  /** From 1, within its baseline. */
  readonly number: number;
  readonly field: ProfiledField;
  /** Of a feature; empty for score and label. */
  readonly name: string;
  readonly grid: Grid;
}

export interface FieldProfile extends FieldGrid {
  readonly profile: Profile;
}

/** The columns of a grid as the driver gives them. */
export interface GridRow {
  readonly kind: ProfiledKind;
  readonly edges: readonly number[];
  readonly categories: readonly string[];
  readonly others: readonly string[];
  readonly is_complete: boolean;
}

export function gridOfRow(row: GridRow): Grid {
  return row.kind === 'number'
    ? { kind: 'number', edges: row.edges }
    : { kind: 'category', categories: row.categories, others: row.others, isComplete: row.is_complete };
}

/** The columns of a profile, with counts as numbers. */
export interface ProfileRow {
  readonly counts: readonly number[];
  readonly nulls: number;
  readonly nans: number;
  readonly finite: number;
  readonly mean: number | null;
  readonly m2: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

export function profileOfRow(kind: ProfiledKind, row: ProfileRow, singletons: number | null): Profile {
  const { counts, nulls, nans, finite, mean, m2, min, max } = row;
  if (kind === 'category') return { kind, counts, nulls, singletons } satisfies CategoryProfile;
  const moments = { n: finite, mean: mean ?? 0, m2: m2 ?? 0 };
  return { kind, counts, nulls, nans, moments, min, max } satisfies NumberProfile;
}

export function rowOfProfile(profile: Profile): ProfileRow {
  if (profile.kind === 'category') {
    const { counts, nulls } = profile;
    return { counts, nulls, nans: 0, finite: 0, mean: null, m2: null, min: null, max: null };
  }
  const { counts, nulls, nans, moments, min, max } = profile;
  const { n: finite, mean, m2 } = moments;
  return { counts, nulls, nans, finite, mean: finite === 0 ? null : mean, m2: finite === 0 ? null : m2, min, max };
}
