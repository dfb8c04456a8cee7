import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { mulberry32 } from '@mcp-hub/stats';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvaluationParts } from '../src/evaluations/evaluation-parts.ts';
import {
  evaluateBinary,
  evaluateBinaryQuery,
  getConfusionMatrix,
  listCalibrationBins,
  listThresholds,
} from '../src/index.ts';
import { type MeasureBinaryQueryInput, measureBinaryQuery } from '../src/sql/evaluate-binary-query.ts';
import { binaryParts } from '../src/tasks/binary-parts.ts';
import { expectNear } from './support/expect-near.ts';
import { refusalOf } from './support/refusal-of.ts';
import { dataset, scoredRows } from './support/rows.ts';
import { rowsOf } from './support/rows-of.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();

interface Row {
  readonly label: number;
  readonly score: number;
  readonly weight: number;
  readonly feature: string;
}

type Options = Pick<MeasureBinaryQueryInput, 'threshold' | 'costs' | 'bins' | 'thresholds' | 'minSliceRows'>;

const inSql = (rows: readonly Row[], options: Options = {}, isWeighted = false): Promise<EvaluationParts> =>
  evaluation.run(freshTenant(), (tx) => {
    const given = rowsOf(tx, rows);
    return measureBinaryQuery(tx, {
      ...options,
      rows: given,
      columns: {
        ...{ label: given.label, score: given.score, slices: { feature: given.feature } },
        ...(isWeighted ? { weight: given.weight } : {}),
      },
    });
  });

const inArrays = (rows: readonly Row[], options: Options = {}, isWeighted = false): EvaluationParts =>
  binaryParts(
    {
      labels: Uint8Array.from(rows, ({ label }) => label),
      scores: rows.map(({ score }) => score),
      weights: isWeighted ? rows.map(({ weight }) => weight) : undefined,
    },
    { ...options, slices: { feature: rows.map(({ feature }) => feature) } },
  );

/** Ties in plenty, edges of bins, and numbers of all sizes. */
const probability = fc.oneof(
  fc.constantFrom(0, 0.1, 0.3, 0.5, 0.7, 1, Number.EPSILON, 1 - 2 ** -53, 1e-300),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const anyScore = fc.oneof(
  fc.constantFrom(-0, 0, 1, 5e-324, -5e-324, 1e-310, Number.MAX_VALUE, -Number.MAX_VALUE),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const rowsWith = (score: fc.Arbitrary<number>) =>
  fc.array(
    fc.record({
      label: fc.integer({ min: 0, max: 1 }),
      score,
      // Sums of quarters are exact in any order, so that ties for best are the same ones.
      weight: fc.integer({ min: 0, max: 40 }).map((quarters) => quarters / 4),
      feature: fc.constantFrom('SFO', 'LAX', ''),
    }),
    { maxLength: 60 },
  );
const options = fc.record({
  threshold: fc.constantFrom(0.5, 0.3, 0, 2),
  bins: fc.constantFrom(1, 3, 10),
  thresholds: fc.constantFrom(1, 4, 7, 1_000),
  minSliceRows: fc.constantFrom(1, 10),
  costs: fc.constantFrom(
    { falsePositive: 1, falseNegative: 1 },
    { falsePositive: 0, falseNegative: 2.5 },
    { falsePositive: 3, falseNegative: 0 },
  ),
});

describe('measureBinaryQuery', () => {
  it.each([
    { what: 'probabilities', score: probability, isWeighted: false },
    { what: 'scores of any size', score: anyScore, isWeighted: false },
    { what: 'probabilities with weights', score: probability, isWeighted: true },
  ])(
    'finds what arrays of the same rows do: $what',
    async ({ score, isWeighted }) => {
      await fc.assert(
        fc.asyncProperty(rowsWith(score), options, async (rows, given) => {
          const found = await inSql(rows, given, isWeighted);
          expectNear(found, inArrays(rows, given, isWeighted), 1e-12);
        }),
        { numRuns: 60 },
      );
    },
    120_000,
  );

  // Parts are of 512 rows, the steps in them of 32: scores that differ, that tie within a part, over parts, and all of them.
  it.each(
    [0, 1_000, 20, 1].flatMap((levels) =>
      [{ skill: 0.3 }, { skill: 0 }, { skill: 1.2 }].flatMap(({ skill }) =>
        [false, true].map((isWeighted) => ({ levels, skill, isWeighted })),
      ),
    ),
  )(
    'finds the same of many parts: $levels levels of scores, skill $skill, weighted: $isWeighted',
    async ({ levels, skill, isWeighted }) => {
      const random = mulberry32(levels + skill * 10);
      const rows = Array.from({ length: 3_000 }, (): Row => {
        const label = random() < 0.4 ? 1 : 0;
        const score = (skill * label + random()) / (1 + skill);
        return {
          ...{ label, score: levels === 0 ? score : Math.floor(score * levels) / levels },
          ...{ weight: Math.floor(random() * 9) / 4, feature: random() < 0.5 ? 'SFO' : 'LAX' },
        };
      });
      for (const costs of [
        { falsePositive: 1, falseNegative: 2 },
        { falsePositive: 0, falseNegative: 1 },
        { falsePositive: 3, falseNegative: 0 },
      ]) {
        const given = { costs, thresholds: levels === 20 ? 1_000 : 50, minSliceRows: 1 };
        expectNear(await inSql(rows, given, isWeighted), inArrays(rows, given, isWeighted), 1e-12);
      }
    },
    60_000,
  );

  it.each([
    { field: 'columns.label', spoilt: { label: 2 } },
    { field: 'columns.label', spoilt: { label: null } },
    { field: 'columns.score', spoilt: { score: Number.NaN } },
    { field: 'columns.score', spoilt: { score: Number.NEGATIVE_INFINITY } },
    { field: 'columns.score', spoilt: { score: Number.POSITIVE_INFINITY } },
    { field: 'columns.score', spoilt: { score: null } },
    { field: 'columns.weight', spoilt: { weight: -1 } },
    { field: 'columns.weight', spoilt: { weight: Number.NaN } },
    { field: 'columns.weight', spoilt: { weight: null } },
  ])('refuses rows that cannot be judged, with their number: $field, $spoilt', async ({ field, spoilt }) => {
    const good = { label: 1, score: 0.5, weight: 1, feature: 'SFO' };
    const refusal = await refusalOf(
      evaluation.run(freshTenant(), (tx) => {
        const rows = rowsOf(tx, [good, { ...good, ...spoilt }, good, { ...good, ...spoilt }]);
        const columns = { label: rows.label, score: rows.score, weight: rows.weight };
        return measureBinaryQuery(tx, { rows, columns });
      }),
    );
    expect(refusal).toMatchObject({ code: 'invalid_input', details: { field, count: 2 } });
  });

  it('knows the positive class by its name, and booleans as they are', async () => {
    const n = await evaluation.run(freshTenant(), async (tx) => {
      const rows = tx
        .select({
          name: sql<string>`name`.as('name'),
          late: sql<boolean>`name = 'late'`.as('late'),
          score: sql<number>`score`.as('score'),
        })
        .from(sql`(values ('late', 0.9), ('late', 0.2), ('early', 0.6)) as given (name, score)`)
        .as('rows');
      const byName = { label: rows.name, score: rows.score };
      return await Promise.all([
        measureBinaryQuery(tx, { rows, columns: byName, positiveLabel: 'late' }),
        measureBinaryQuery(tx, { rows, columns: { label: rows.late, score: rows.score } }),
      ]);
    });
    for (const { cells } of n) {
      expect(cells.map(({ trueLabel, predictedLabel }) => [trueLabel, predictedLabel])).toEqual([
        ['1', '1'],
        ['0', '1'],
        ['1', '0'],
      ]);
    }
  });
});

describe('evaluateBinaryQuery', () => {
  it('stores what evaluateBinary stores of the same rows', async () => {
    const { labels, scores, origin } = scoredRows(400);
    await evaluation.run(freshTenant(), async (tx) => {
      await registerVersion(tx, { name: 'delays' });
      const subject = { name: 'delays', version: '1', dataset };
      const rows = rowsOf(
        tx,
        labels.map((label, row) => ({ label, score: scores[row] ?? 0, weight: 1, feature: origin[row] ?? '' })),
      );
      const columns = { label: rows.label, score: rows.score, slices: { origin: rows.feature } };
      const fromSql = await evaluateBinaryQuery(tx, { ...subject, rows, columns, thresholds: 50 });
      const fromArrays = await evaluateBinary(tx, { ...subject, labels, scores, slices: { origin }, thresholds: 50 });
      const storedOf = async (evaluationId: string) => ({
        thresholds: (await listThresholds(tx, { evaluationId })).map((row) => ({ ...row, evaluationId: '' })),
        bins: (await listCalibrationBins(tx, { evaluationId })).map((row) => ({ ...row, evaluationId: '' })),
        confusion: await getConfusionMatrix(tx, { evaluationId, sliceFeature: 'origin', sliceValue: 'SFO' }),
      });
      expectNear(await storedOf(fromSql.id), await storedOf(fromArrays.id), 1e-12);
      expectNear(fromSql.metrics, fromArrays.metrics, 1e-12);
    });
  });

  it('sees rows of its own tenant alone, and no other tenant’s versions', async () => {
    const [tenant, other] = [freshTenant(), freshTenant()];
    const version = await evaluation.run(tenant, async (tx) => {
      const { id } = await registerVersion(tx, { name: 'delays' });
      return id;
    });
    const versions = (tx: TenantTx) => {
      const rows = tx
        .select({ label: sql<number>`1`.as('label'), score: sql<number>`0.5`.as('score') })
        .from(modelRegistry)
        .as('rows');
      return { rows, columns: { label: rows.label, score: rows.score } };
    };
    const own = await evaluation.run(tenant, (tx) => measureBinaryQuery(tx, versions(tx)));
    expect(own.n).toBe(1);
    const others = await evaluation.run(other, (tx) => measureBinaryQuery(tx, versions(tx)));
    expect(others.n).toBe(0);
    const refusal = await refusalOf(
      evaluation.run(other, (tx) => evaluateBinaryQuery(tx, { versionId: version, dataset, ...versions(tx) })),
    );
    expect(refusal.code).toBe('not_found');
  });
});
