import { nameInput } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionSubject } from '@mcp-hub/registry';
import type { Grid, Profile } from '@mcp-hub/stats';
import { is, type SQLWrapper, Subquery } from 'drizzle-orm';
import { z } from 'zod';
import { timeZoneInput } from '../inputs.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import { profiledFields } from './schema.ts';

const featureName = nameInput(MONITORING_LIMITS.featureNameLength);

const isExpression = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && 'getSQL' in given && typeof given.getSQL === 'function';
const expression = z.custom<SQLWrapper>(isExpression, 'must be a column of rows, or an expression on them');

/** Values, one a row; null and NaN are missing ones. */
const values = z.custom<ArrayLike<number | null> | readonly (string | null)[]>(
  (given) => (Array.isArray(given) || ArrayBuffer.isView(given)) && isOneKind(given as ArrayLike<unknown>),
  `must be an array of numbers and nulls, or of texts and nulls, of at most ${MONITORING_LIMITS.baselineRows}`,
);

function isOneKind(given: ArrayLike<unknown>): boolean {
  if (given.length > MONITORING_LIMITS.baselineRows) return false;
  let kind: string | undefined;
  for (let i = 0; i < given.length; i++) {
    const value = given[i];
    if (value === null || value === undefined) continue;
    const own = typeof value;
    if ((own !== 'number' && own !== 'string') || (kind !== undefined && kind !== own)) return false;
    kind = own;
  }
  return true;
}

/** A column of rows in the database, and whether it is a number or a category. */
const column = z.union([z.strictObject({ number: expression }), z.strictObject({ category: expression })]);

/** A profile that was made elsewhere. */
const givenField = z.strictObject({
  field: z.enum(profiledFields),
  name: featureName.optional(),
  grid: z.custom<Grid>((given) => typeof given === 'object' && given !== null && 'kind' in given, 'must be a grid'),
  profile: z.custom<Profile>(
    (given) => typeof given === 'object' && given !== null && 'kind' in given,
    'must be a profile',
  ),
});

export const CreateBaselineInput = z
  .strictObject({
    ...versionSubject,
    /** Of the version's predictions in a window; `to` is not included. Features, score and predicted class. */
    window: z.strictObject({ from: z.date(), to: z.date() }).optional(),
    /** Of arrays, one value a row, such as the training data: features by their names, and what the version gives for them. */
    rows: z
      .strictObject({
        features: z.record(featureName, values).optional(),
        score: values.optional(),
        label: values.optional(),
      })
      .optional(),
    /** Of rows in the database: a Drizzle subquery, `tx.select({ … }).from(…).as('rows')`, and its columns. */
    query: z
      .strictObject({
        rows: z.custom<Subquery>((given) => is(given, Subquery), 'must be a subquery, as `.as(name)` gives it'),
        features: z.record(featureName, column).optional(),
        score: expression.optional(),
        label: expression.optional(),
      })
      .optional(),
    /** Of profiles that were made elsewhere. */
    given: z.array(givenField).readonly().optional(),
    /** In which days begin and end. Default UTC. */
    timeZone: timeZoneInput.optional(),
    /** Edges of the bins of numbers, by feature, in the place of quantiles; those of the score under an empty name. */
    edges: z.record(z.string(), z.array(z.number()).min(1).max(MONITORING_LIMITS.numberBins).readonly()).optional(),
    /** Of a number. Default 10. */
    numberBins: z.int().min(2).max(MONITORING_LIMITS.numberBins).optional(),
    /** Of a category, beside other and new. Default 30. */
    categoryBins: z.int().min(1).max(MONITORING_LIMITS.categoryBins).optional(),
    /** From when on the days are profiled. Default: 31 days ago. */
    profileFrom: z.date().optional(),
  })
  .refine(namesOneVersion, ONE_VERSION)
  .refine(
    ({ window, rows, query, given }) => [window, rows, query, given].filter((one) => one !== undefined).length === 1,
    'must have one of window, rows, query and given',
  )
  .refine(
    ({ window }) => window === undefined || window.from < window.to,
    'must have a window that begins before it ends',
  );
export type CreateBaselineInput = Readonly<z.input<typeof CreateBaselineInput>>;
