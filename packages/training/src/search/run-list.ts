import { defineList, defineOrder, type List, textArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { key } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { type KeyedPart, keyedParts, type Run, runColumns, runParts } from '../runs/runs.ts';
import { trainingRuns } from '../schema.ts';
import { runFields } from './run-fields.ts';

const includedKeys = z
  .union([z.boolean(), z.array(key).max(TRAINING_LIMITS.pairsAtOnce)], {
    error: 'must be true for all keys, false for none, or a list of keys',
  })
  .optional();

/** Which params, tags and metrics of the runs come along: all, none, or those of these keys. Default: all. */
export const IncludedParts = z.strictObject({ params: includedKeys, tags: includedKeys, metrics: includedKeys });
export type IncludedParts = Readonly<z.input<typeof IncludedParts>>;

type Extent = 'all' | 'none' | 'some';

const order = defineOrder({
  fields: runFields,
  byDefault: [{ field: 'createdAt', direction: 'desc' }],
  tieBreaker: runFields.fields.id,
});

/** The keys that a page asks for, one array a part, stand in its joins: what a list selects holds no parameters. */
const ASKED = sql.identifier('asked');

/** One list for each choice of what is selected, so that nothing is read to be left out. */
const lists = new Map<string, List<typeof runFields, Run>>();

/** The list of a tenant's runs with these parts; a cursor fits whatever is included. */
export function runListWith(included: IncludedParts = {}): List<typeof runFields, Run> {
  const extents = keyedParts.map((part) => extentOf(included[part]));
  const name = extents.join(' ');
  const list = lists.get(name) ?? makeList(extents);
  lists.set(name, list);
  const asked = keyedParts.flatMap((part) => {
    const keys = included[part];
    return typeof keys === 'object' && keys.length > 0 ? [{ part, keys }] : [];
  });
  if (asked.length === 0) return list;
  const arrays = asked.map(({ keys }) => textArray(keys));
  const names = asked.map(({ part }) => sql.identifier(part));
  const joins = sql`cross join (values (${sql.join(arrays, sql`, `)})) as ${ASKED} (${sql.join(names, sql`, `)})`;
  return { ...list, joins };
}

function extentOf(keys: IncludedParts[KeyedPart]): Extent {
  if (typeof keys === 'object') return keys.length === 0 ? 'none' : 'some';
  return keys === false ? 'none' : 'all';
}

function makeList(extents: readonly Extent[]): List<typeof runFields, Run> {
  const extentOfPart = (part: KeyedPart) => extents[keyedParts.indexOf(part)];
  const narrow = (part: KeyedPart, partKey: SQL) =>
    extentOfPart(part) === 'some' ? sql` and ${partKey} = any(${ASKED}.${sql.identifier(part)})` : sql.empty();
  const { params, tags, metrics } = runParts(narrow);
  // An empty object is a value of each part.
  const none = sql<Run['params'] & Run['metrics']>`'{}'::json`;
  return defineList({
    name: 'training.runs',
    from: trainingRuns,
    columns: {
      ...runColumns,
      params: extentOfPart('params') === 'none' ? none : params,
      tags: extentOfPart('tags') === 'none' ? none : tags,
      metrics: extentOfPart('metrics') === 'none' ? none : metrics,
    },
    order,
    defaultLimit: TRAINING_LIMITS.searchPage,
    maxLimit: TRAINING_LIMITS.searchPageMax,
  });
}
