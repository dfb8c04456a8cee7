import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  evaluateMulticlass,
  evaluateMulticlassQuery,
  evaluateRegression,
  evaluateRegressionQuery,
  getConfusionMatrix,
  listWorstSlices,
  type RecordedEvaluation,
} from '../src/index.ts';
import { expectNear } from './support/expect-near.ts';
import { refusalOf } from './support/refusal-of.ts';
import { dataset } from './support/rows.ts';
import { rowsOf } from './support/rows-of.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();
const subject = { name: 'delays', version: '1', dataset };

interface Row {
  readonly label: number;
  readonly score: number;
  readonly weight: number;
  readonly feature: string;
}

const weight = fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e3, noNaN: true }));
const rowsWith = (label: fc.Arbitrary<number>, score: fc.Arbitrary<number>) =>
  fc.array(fc.record({ label, score, weight, feature: fc.constantFrom('SFO', 'LAX', '') }), { maxLength: 50 });
const classNumber = fc.integer({ min: 0, max: 4 });
/** Around an offset that costs digits where the spread is taken of squares. */
const offset = fc.double({ min: 1e6 - 10, max: 1e6 + 10, noNaN: true });
const nearby = fc.oneof(offset, fc.constantFrom(1e6, 1e6 + 1));
/** All values that count are equal; with weights, their mean's distance from the first row is rounded. */
const besideNoWeight: Row[] = [0, 0.1, 0.2, 0.3].map((part) => {
  return { label: 1e6 + (part === 0 ? 0.1 : 0.7), score: 1e6, weight: part, feature: 'SFO' };
});

async function inTenant<Result>(work: (tx: TenantTx) => Promise<Result>): Promise<Result> {
  return await evaluation.run(freshTenant(), async (tx) => {
    await registerVersion(tx, { name: 'delays' });
    return await work(tx);
  });
}

async function expectSame(tx: TenantTx, fromSql: RecordedEvaluation, fromArrays: RecordedEvaluation, metric: string) {
  expectNear(fromSql.metrics, fromArrays.metrics, 1e-12);
  const [slices, wanted] = await Promise.all(
    [fromSql, fromArrays].map(({ id }) => listWorstSlices(tx, { evaluationId: id, metric })),
  );
  const valuesOf = (page: typeof slices) =>
    page?.items
      .map(({ sliceValue, value, n }) => ({ sliceValue, value, n }))
      .toSorted((a, b) => (a.sliceValue < b.sliceValue ? -1 : 1));
  expectNear(valuesOf(slices), valuesOf(wanted), 1e-12);
}

const columnsOf = (rows: readonly Row[], isWeighted: boolean) => ({
  slices: { feature: rows.map(({ feature }) => feature) },
  minSliceRows: 5,
  ...(isWeighted ? { weights: rows.map((row) => row.weight) } : {}),
});

describe.each([{ isWeighted: false }, { isWeighted: true }])(
  'in SQL as in arrays, weighted: $isWeighted',
  ({ isWeighted }) => {
    it('counts pairs of classes', async () => {
      await fc.assert(
        fc.asyncProperty(rowsWith(classNumber, classNumber), async (rows) => {
          await inTenant(async (tx) => {
            const given = rowsOf(tx, rows);
            const fromSql = await evaluateMulticlassQuery(tx, {
              ...{ ...subject, rows: given, minSliceRows: 5 },
              columns: {
                ...{ label: given.label, predicted: given.score, slices: { feature: given.feature } },
                ...(isWeighted ? { weight: given.weight } : {}),
              },
            });
            const fromArrays = await evaluateMulticlass(tx, {
              ...{ ...subject, ...columnsOf(rows, isWeighted) },
              ...{ labels: rows.map(({ label }) => label), predicted: rows.map(({ score }) => score) },
            });
            await expectSame(tx, fromSql, fromArrays, 'accuracy');
            const confusions = [fromSql, fromArrays].map(({ id }) => getConfusionMatrix(tx, { evaluationId: id }));
            const [found, wanted] = await Promise.all(confusions);
            expectNear(found, wanted, 1e-12);
          });
        }),
        { numRuns: 25 },
      );
    }, 120_000);

    it('takes errors of numbers', async () => {
      await fc.assert(
        fc.asyncProperty(rowsWith(nearby, nearby), async (rows) => {
          await inTenant(async (tx) => {
            const given = rowsOf(
              tx,
              rows.map((row) => ({ ...row, label: 0 })),
              rows.map(({ label }) => label),
            );
            const fromSql = await evaluateRegressionQuery(tx, {
              ...{ ...subject, rows: given, minSliceRows: 5, quantile: 0.9 },
              columns: {
                ...{ actual: given.actual, predicted: given.score, slices: { feature: given.feature } },
                ...(isWeighted ? { weight: given.weight } : {}),
              },
            });
            const fromArrays = await evaluateRegression(tx, {
              ...{ ...subject, ...columnsOf(rows, isWeighted), quantile: 0.9 },
              ...{ actual: rows.map(({ label }) => label), predicted: rows.map(({ score }) => score) },
            });
            await expectSame(tx, fromSql, fromArrays, 'mae');
          });
        }),
        { numRuns: 25, examples: [[besideNoWeight]] },
      );
    }, 120_000);
  },
);

it.each([
  { field: 'columns.predicted', spoilt: { score: null } },
  { field: 'columns.label', spoilt: { label: null } },
  { field: 'columns.weight', spoilt: { weight: Number.POSITIVE_INFINITY } },
])('refuses pairs of classes that cannot be judged, with their number: $field', async ({ field, spoilt }) => {
  const refusal = await refusalOf(
    inTenant((tx) => evaluateMulticlassQuery(tx, { ...subject, ...spoiltRows(tx, spoilt) })),
  );
  expect(refusal).toMatchObject({ code: 'invalid_input', details: { field, count: 1 } });
});

it.each([
  { field: 'columns.predicted', spoilt: { score: Number.NaN } },
  { field: 'columns.weight', spoilt: { weight: -1 } },
])('refuses numbers that cannot be judged, with their number: $field', async ({ field, spoilt }) => {
  const refusal = await refusalOf(
    inTenant((tx) => {
      const { rows, columns } = spoiltRows(tx, spoilt);
      const { label: actual, ...others } = columns;
      return evaluateRegressionQuery(tx, { ...subject, rows, columns: { actual, ...others } });
    }),
  );
  expect(refusal).toMatchObject({ code: 'invalid_input', details: { field, count: 1 } });
});

function spoiltRows(tx: TenantTx, spoilt: Partial<Record<'label' | 'score' | 'weight', number | null>>) {
  const good = { label: 1, score: 1, weight: 1, feature: 'SFO' };
  const rows = rowsOf(tx, [good, { ...good, ...spoilt }, good]);
  return { rows, columns: { label: rows.label, predicted: rows.score, weight: rows.weight } };
}
