import { DomainError, type Id, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { versionIdOf } from '@mcp-hub/registry';
import {
  categoryGrid,
  type Grid,
  isStatsError,
  profileCategories,
  profileNumbers,
  quantileGrid,
  requireProfile,
} from '@mcp-hub/stats';
import { type SQL, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { versionNotFound } from '../not-found.ts';
import { profileRows } from '../profiles/profile-statement.ts';
import { CreateBaselineInput } from './baseline-inputs.ts';
import type { FieldProfile } from './field-profile.ts';
import { findGrids, type GivenColumn } from './find-grids.ts';
import { ledgerRows, ledgerValue, readLedgerPlaces } from './ledger-columns.ts';
import type { BaselineSource, ProfiledField } from './schema.ts';
import { type StoredBaseline, storeBaseline } from './store-baseline.ts';

type Parsed = z.output<typeof CreateBaselineInput>;

/** A baseline that was made, and what it does not have. */
export interface CreatedBaseline extends StoredBaseline {
  /** Fields without a single value that could be profiled, by name. */
  readonly skipped: readonly string[];
}

interface Fields {
  readonly source: BaselineSource;
  readonly rowCount: number;
  readonly fields: readonly FieldProfile[];
  readonly skipped: readonly string[];
}

/**
 * Makes the next revision of a version's baseline: the grid of each feature, of the score and of the predicted class, frozen,
 * and how the reference fell into it. From now on days are profiled by it; older revisions and their profiles stay.
 *
 * Of a window some four statements that read its predictions. At its end it waits for transactions that record predictions
 * of the version, and those that follow wait for it: leave little behind it in the transaction.
 *
 * @throws DomainError `not_found` without the version, `failed_precondition` where there is nothing to profile,
 *   `invalid_input` for profiles that do not fit their grids.
 */
export async function createBaseline(tx: TenantTx, input: CreateBaselineInput): Promise<CreatedBaseline> {
  const parsed = parseInput(CreateBaselineInput, input);
  const { name, version, versionId: id, reference } = parsed;
  const [found] = await tx.execute<{ id: Id<'ModelVersion'> | null; now_ms: number }>(sql`
    select ${versionIdOf(tx, { name, version, versionId: id, reference })} as id,
           (extract(epoch from app_now()) * 1000)::float8 as now_ms`);
  const versionId = found?.id ?? null;
  if (found === undefined || versionId === null) throw versionNotFound();
  const { source, rowCount, fields, skipped } = await fieldsOf(tx, versionId, parsed);
  if (fields.length === 0) {
    throw new DomainError(
      'failed_precondition',
      'There is nothing to profile: give a window that has predictions, or rows with values.',
      { details: { reason: 'no_values' } },
    );
  }
  const { window, timeZone = 'UTC', profileFrom = new Date(found.now_ms - 31 * DAY_MS) } = parsed;
  const stored = await storeBaseline(tx, { versionId, source, window, timeZone, rowCount, fields, profileFrom });
  return { ...stored, skipped };
}

const DAY_MS = 86_400_000;

async function fieldsOf(tx: TenantTx, versionId: string, parsed: Parsed): Promise<Fields> {
  if (parsed.rows !== undefined) return fieldsOfArrays(parsed.rows, parsed);
  if (parsed.given !== undefined) return fieldsOfProfiles(parsed.given);
  if (parsed.query !== undefined) {
    const { rows, features = {}, score, label } = parsed.query;
    const columns: NamedColumn[] = Object.entries(features).map(([name, column]) =>
      'number' in column
        ? { field: 'feature', name, kind: 'number', value: sql`(${column.number})::float8` }
        : { field: 'feature', name, kind: 'category', value: sql`(${column.category})::text` },
    );
    if (score !== undefined) columns.push({ field: 'score', name: '', kind: 'number', value: sql`(${score})::float8` });
    if (label !== undefined) columns.push({ field: 'label', name: '', kind: 'category', value: sql`(${label})::text` });
    return { source: 'query', ...(await fieldsOfColumns(tx, sql`${rows}`, columns, parsed)) };
  }
  const { from, to } = parsed.window ?? { from: new Date(0), to: new Date(0) };
  const places = await readLedgerPlaces(tx, versionId);
  const columns: NamedColumn[] = [
    ...places.numbers.map((name) => ({ field: 'feature', name, kind: 'number' }) as const),
    ...places.categories.map((name) => ({ field: 'feature', name, kind: 'category' }) as const),
    { field: 'score', name: '', kind: 'number' } as const,
    { field: 'label', name: '', kind: 'category' } as const,
  ].map((column) => ({ ...column, value: ledgerValue(places, column.field, column.name, column.kind) }));
  return {
    source: 'window',
    ...(await fieldsOfColumns(tx, ledgerRows(tx, versionId, from, to), columns, parsed)),
  };
}

interface NamedColumn extends GivenColumn {
  readonly field: ProfiledField;
  readonly name: string;
}

async function fieldsOfColumns(tx: TenantTx, from: SQL, named: readonly NamedColumn[], parsed: Parsed) {
  const columns = named.map((column) => ({ ...column, grid: givenGrid(parsed, column.kind, column.name) }));
  const grids = await findGrids(tx, from, columns, binsOf(parsed));
  const there = columns.flatMap((column, i) => {
    const found = grids[i];
    const isEmpty = found?.grid.kind === 'category' && found.grid.categories.length === 0;
    return found === undefined || isEmpty ? [] : [{ ...column, ...found }];
  });
  const skipped = columns.filter(({ field, name }) => !there.some((one) => one.field === field && one.name === name));
  if (there.length === 0) return { rowCount: 0, fields: [], skipped: skipped.map(nameOf) };
  const { rowCount, profiles } = await profileRows(tx, from, there);
  const fields = there.flatMap(({ field, name, grid, singletons }, i): readonly FieldProfile[] => {
    const profile = profiles[i];
    if (profile === undefined) return [];
    return [
      { number: i + 1, field, name, grid, profile: profile.kind === 'category' ? { ...profile, singletons } : profile },
    ];
  });
  return { rowCount, fields, skipped: skipped.map(nameOf) };
}

const nameOf = ({ field, name }: { readonly field: ProfiledField; readonly name: string }) =>
  field === 'feature' ? name : field;

const binsOf = ({ numberBins = 10, categoryBins = 30 }: Parsed) => ({
  ...{ numbers: numberBins, categories: categoryBins, known: 1_000 },
});

function givenGrid({ edges }: Parsed, kind: 'number' | 'category', name: string): Grid | undefined {
  const own = kind === 'number' && edges !== undefined && Object.hasOwn(edges, name) ? edges[name] : undefined;
  if (own === undefined) return undefined;
  if (own.some((edge, i) => i > 0 && !(edge > (own[i - 1] ?? edge)))) {
    throw new DomainError('invalid_input', 'edges must ascend.', { details: { field: 'edges' } });
  }
  return { kind: 'number', edges: own };
}

function fieldsOfArrays(rows: NonNullable<Parsed['rows']>, parsed: Parsed): Fields {
  const given = [
    ...Object.entries(rows.features ?? {}).map(([name, values]) => ({ field: 'feature', name, values }) as const),
    ...(rows.score === undefined ? [] : [{ field: 'score', name: '', values: rows.score } as const]),
    ...(rows.label === undefined ? [] : [{ field: 'label', name: '', values: rows.label } as const]),
  ];
  const rowCount = Math.max(0, ...given.map(({ values }) => values.length));
  if (given.some(({ values }) => values.length !== rowCount)) {
    throw new DomainError('invalid_input', 'rows must have columns of the same length, one value a row.', {
      details: { field: 'rows' },
    });
  }
  const fields: FieldProfile[] = [];
  const skipped: string[] = [];
  const bins = binsOf(parsed);
  for (const { field, name, values } of given) {
    const isText = Array.prototype.some.call(values, (value) => typeof value === 'string');
    const number = fields.length + 1;
    if (isText) {
      const texts = values as readonly (string | null)[];
      const counts = new Map<string, number>();
      for (const text of texts) if (text !== null && text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
      const grid = categoryGrid(counts, { bins: bins.categories, known: bins.known });
      fields.push({ ...{ number, field, name, grid }, profile: profileCategories(grid, texts) });
      continue;
    }
    const numbers = values as ArrayLike<number | null>;
    const finite = Array.from(numbers).filter((value) => value !== null && Number.isFinite(value)) as number[];
    const own = givenGrid(parsed, 'number', name);
    if (own === undefined && finite.length === 0) {
      skipped.push(nameOf({ field, name }));
      continue;
    }
    const grid = own?.kind === 'number' ? own : quantileGrid(finite, bins.numbers);
    fields.push({ ...{ number, field, name, grid }, profile: profileNumbers(grid, numbers) });
  }
  return { source: 'rows', rowCount, fields, skipped };
}

function fieldsOfProfiles(given: NonNullable<Parsed['given']>): Fields {
  let rowCount = 0;
  const fields = given.map(({ field, name = '', grid, profile }, i): FieldProfile => {
    const where = `given[${i}]`;
    if ((field === 'feature') === (name === '')) {
      throw new DomainError('invalid_input', `${where} must have a name if it is a feature, and none otherwise.`, {
        details: { field: where, index: i },
      });
    }
    try {
      rowCount = Math.max(rowCount, requireProfile(grid, profile));
    } catch (error) {
      if (!isStatsError(error)) throw error;
      throw new DomainError('invalid_input', `${where}: ${error.message}`, {
        details: { field: where, index: i },
        cause: error,
      });
    }
    return { number: i + 1, field, name, grid, profile };
  });
  const names = fields.map(({ field, name }) => `${field} ${name}`);
  if (new Set(names).size < names.length) {
    throw new DomainError('invalid_input', 'given must name each field once.', { details: { field: 'given' } });
  }
  return { source: 'given', rowCount, fields, skipped: [] };
}
