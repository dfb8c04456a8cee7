import { type SQL, sql } from 'drizzle-orm';
import type { FeaturePlaces } from './open-ledger.ts';
import type { FeatureValue } from './prediction-input.ts';
import type { PreparedPrediction } from './prepare-predictions.ts';

/** The columns of predictions that are sent row by row, in the order of encodePredictions. */
export const sentColumns = sql.raw(
  'id, subject, label, score, output, numbers, categories, latency_ms, source, batch_job_id, run_id, experiment, variant',
);

/**
 * Predictions as an item of FROM with the columns above, of which `numbers` and `categories` are array literals.
 *
 * Each column is one array literal, written here and not by db-core's makers: what they scan for having a text form has been
 * checked, and without it and most quotes it takes a fifth less.
 */
export function encodePredictions(rows: readonly PreparedPrediction[], places: FeaturePlaces): SQL {
  const column = (textOf: (row: PreparedPrediction) => string | null) => {
    let text = '{';
    for (const row of rows) text += text.length === 1 ? (textOf(row) ?? 'NULL') : `,${textOf(row) ?? 'NULL'}`;
    return `${text}}`;
  };
  const text = (value: string | null | undefined) => (value === null || value === undefined ? null : quoted(value));
  const number = (value: number | null | undefined) =>
    value === null || value === undefined ? null : numberText(value);
  return sql`
    unnest(${column(({ id }) => id)}::text::uuid[],
           ${column(({ id, given }) => (given.subject === undefined ? id : quoted(given.subject)))}::text::text[],
           ${column(({ given }) => text(given.label))}::text::text[],
           ${column(({ given }) => number(given.score))}::text::float8[],
           ${column(({ output }) => text(output))}::text::jsonb[],
           ${column(({ given }) => numbersText(given.features, places.numbers))}::text::text[],
           ${column(({ given }) => categoriesText(given.features, places.categories))}::text::text[],
           ${column(({ given }) => number(given.latencyMs))}::text::float8[],
           ${column(({ given }) => given.source ?? 'online')}::text::text[],
           ${column(({ given }) => given.batchJobId ?? null)}::text::uuid[],
           ${column(({ given }) => given.runId ?? null)}::text::uuid[],
           ${column(({ given }) => text(given.experiment))}::text::text[],
           ${column(({ given }) => text(given.variant))}::text::text[])`;
}

type Features = Readonly<Record<string, FeatureValue>> | undefined;

// Arrays are as long as the last value that is there: features that come later leave an earlier row the same content.

function numbersText(features: Features, places: ReadonlyMap<string, number>): string {
  const array: string[] = [];
  for (const name in features) {
    const value = features[name];
    if (typeof value === 'number') put(array, places.get(name), numberText(value));
  }
  return `"{${array.join(',')}}"`;
}

function categoriesText(features: Features, places: ReadonlyMap<string, number>): string {
  if (places.size === 0) return '"{}"';
  const array: string[] = [];
  for (const name in features) {
    const value = features[name];
    if (typeof value === 'string' || typeof value === 'boolean') put(array, places.get(name), quoted(String(value)));
  }
  return quoted(`{${array.join(',')}}`);
}

function put(array: string[], place: number | undefined, text: string): void {
  if (place === undefined) throw new TypeError('A ledger has places for all features of its predictions');
  while (array.length < place) array.push('NULL');
  array[place] = text;
}

/** Bit for bit; String(-0) would be '0'. */
const numberText = (value: number) => (Object.is(value, -0) ? '-0' : `${value}`);

const special = /["\\]/;
const specials = /["\\]/g;
const quoted = (text: string) => (special.test(text) ? `"${text.replace(specials, '\\$&')}"` : `"${text}"`);
