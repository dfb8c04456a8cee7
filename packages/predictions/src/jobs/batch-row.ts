import { keepsEachKey } from '@mcp-hub/db-core';
import { z } from 'zod';
import { type FeatureValue, featureName, featureValue, subjectName } from '../ledger/prediction-input.ts';
import { setOwn } from '../set-own.ts';

/** A row to predict: the features by name, and the unit that its labels will join on. */
export const BatchRowInput = z.strictObject({
  /** Default: the prediction's id. */
  subject: subjectName.optional(),
  features: keepsEachKey<Readonly<Record<string, FeatureValue>>>().pipe(z.record(featureName, featureValue)),
});
export type BatchRowInput = Readonly<z.input<typeof BatchRowInput>>;

/** A row of a claimed chunk. */
export interface BatchRow {
  /** Its place in the job, from 0. */
  readonly row: number;
  readonly subject?: string;
  readonly features: Readonly<Record<string, FeatureValue>>;
}

/** A number that JSON has no form for. Features are never objects, so that it cannot be taken for another value. */
interface StoredNumber {
  readonly number: string;
}

/** A row as it lies in a chunk. */
export interface StoredRow {
  readonly row: number;
  readonly subject?: string | null;
  readonly features: Readonly<Record<string, FeatureValue | StoredNumber>>;
}

/** JSON of a row that has passed BatchRowInput, with NaN and the infinities. */
export function storedRowText(row: number, { subject, features }: BatchRowInput): string {
  return JSON.stringify({ row, subject, features }, writeNumber);
}

/** A replacer of JSON.stringify. */
export function writeNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return { number: String(value) };
}

/** The row that a stored one stands for. */
export function readStoredRow({ row, subject, features }: StoredRow): BatchRow {
  const read: Record<string, FeatureValue> = {};
  for (const [name, value] of Object.entries(features)) {
    setOwn(read, name, typeof value === 'object' && value !== null ? Number(value.number) : value);
  }
  return { row, ...(subject === undefined || subject === null ? {} : { subject }), features: read };
}
