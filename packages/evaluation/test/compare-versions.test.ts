import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { deLongTest, holm, mcNemarTest } from '@mcp-hub/stats';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type CompareVersionsInput,
  compareVersions,
  decideComparison,
  deleteComparison,
  listComparisons,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { dataset, scoredRows } from './support/rows.ts';
import { somebodyWaits } from './support/somebody-waits.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();
const { labels, scores: good } = scoredRows(300, 7, 0.9);
const { scores: poor } = scoredRows(300, 7, 0.4);
const bits = (scores: Float64Array) => Array.from(scores, (score) => (score >= 0.5 ? 1 : 0));

async function inTenant<Result>(work: (tx: TenantTx) => Promise<Result>, tenant = freshTenant()): Promise<Result> {
  return await evaluation.run(tenant, async (tx) => {
    await registerVersion(tx, { name: 'm' });
    await registerVersion(tx, { name: 'm' });
    return await work(tx);
  });
}

/** Version 2, which scores well, against version 1; McNemar's tests get what their scores predict. */
function comparison(more: Partial<CompareVersionsInput> = {}, outputs = { baseline: poor, candidate: good }) {
  const given = (scores: Float64Array) => (more.test?.startsWith('mcnemar') ? bits(scores) : scores);
  return {
    ...{ baseline: { name: 'm', version: '1', outputs: given(outputs.baseline) as Float64Array | number[] } },
    ...{ candidate: { name: 'm', version: '2', outputs: given(outputs.candidate) as Float64Array | number[] } },
    ...{ labels, dataset, test: 'delong' as const, ...more },
  };
}

describe('compareVersions', () => {
  it("gives DeLong's test with the interval of the difference, candidate less baseline", async () => {
    const found = await inTenant((tx) => compareVersions(tx, comparison()));
    const expected = deLongTest({ labels, first: good, second: poor }).value;
    expect(found).toMatchObject({
      ...{ metric: 'roc_auc', n: 300, difference: expected?.difference, statistic: expected?.z.value },
      ...{ pValue: expected?.p.value, adjustedP: expected?.p.value, decision: 'better', higherIsBetter: true },
    });
    expect(found.lower).toBeGreaterThan(0);
    expect(found.upper).toBeGreaterThan(found.difference ?? 1);
  });

  it.each([
    ['mcnemar_exact', (found: ReturnType<typeof mcNemarTest>) => found.exact.p],
    ['mcnemar_mid_p', (found: ReturnType<typeof mcNemarTest>) => found.midP],
    ['mcnemar_chi_square', (found: ReturnType<typeof mcNemarTest>) => found.chiSquare.value?.p],
  ] as const)('gives %s of predicted classes', async (test, pOf) => {
    const [first, second] = [bits(good), bits(poor)];
    const isRight = (outputs: readonly number[], row: number) => outputs[row] === labels[row];
    const onlyFirstRight = labels.filter((_, row) => isRight(first, row) && !isRight(second, row)).length;
    const onlySecondRight = labels.filter((_, row) => !isRight(first, row) && isRight(second, row)).length;
    const found = await inTenant((tx) =>
      compareVersions(tx, {
        ...comparison({ test }),
        baseline: { name: 'm', version: '1', outputs: second },
        candidate: { name: 'm', version: '2', outputs: first },
      }),
    );
    expect(found).toMatchObject({
      ...{ metric: 'accuracy', pValue: pOf(mcNemarTest({ onlyFirstRight, onlySecondRight })) },
      difference: (onlyFirstRight - onlySecondRight) / 300,
    });
    expect(found.lower).toBeLessThan(found.difference ?? 0);
  });

  it('gives the paired bootstrap of a metric, the same again by its seed', async () => {
    const given = comparison({ test: 'paired_bootstrap', metric: 'f1', bootstrap: { seed: 5, resamples: 60 } });
    const [first, again] = await inTenant(async (tx) => [
      await compareVersions(tx, given),
      await compareVersions(tx, given),
    ]);
    expect(first).toMatchObject({ metric: 'f1', parameters: { seed: 5, generator: 'mulberry32', resamples: 60 } });
    expect([again?.pValue, again?.lower, again?.upper]).toEqual([first?.pValue, first?.lower, first?.upper]);
  });

  it('takes less of a loss as better', async () => {
    const actual = labels.map((_, row) => row / 10);
    const noisy = actual.map((value, row) => value + Math.sin(row) * 2);
    const close = actual.map((value, row) => value + Math.cos(row) / 10);
    const found = await inTenant((tx) =>
      compareVersions(tx, {
        ...comparison({ test: 'paired_t', labels: actual }),
        baseline: { name: 'm', version: '1', outputs: noisy },
        candidate: { name: 'm', version: '2', outputs: close },
      }),
    );
    expect(found).toMatchObject({ metric: 'mae', higherIsBetter: false, decision: 'better' });
    expect(found.difference).toBeLessThan(0);
  });

  it('gives a repeated call its first comparison', async () => {
    const given = comparison({ idempotencyKey: 'once' });
    const found = await inTenant(async (tx) => {
      const ids = [(await compareVersions(tx, given)).id, (await compareVersions(tx, given)).id];
      const other = tx.transaction((inner) => compareVersions(inner, { ...given, margin: 0.1 }));
      expect(await refusalOf(other)).toMatchObject({ code: 'conflict' });
      return ids;
    });
    expect(found[0]).toBe(found[1]);
  });

  it('says why a test has no p, and decides nothing then', async () => {
    const given = comparison({ labels: labels.map(() => 1) });
    const found = await inTenant((tx) => compareVersions(tx, given));
    expect(found).toMatchObject({
      pValue: null,
      difference: null,
      reason: 'Each class needs two rows.',
      decision: 'undecided',
    });
  });

  it('refuses what its test does not take', async () => {
    const refused = async (more: Partial<CompareVersionsInput>) =>
      await refusalOf(inTenant((tx) => compareVersions(tx, comparison(more))));
    expect(await refused({ labels: [1, 0] })).toMatchObject({ code: 'invalid_input' });
    const itself = { name: 'm', version: '2', outputs: good };
    expect(await refused({ baseline: itself })).toMatchObject({ details: { field: 'candidate' } });
    expect(await refused({ test: 'paired_bootstrap' })).toMatchObject({ code: 'invalid_input' });
    expect(await refused({ test: 'paired_t', metric: 'f1' })).toMatchObject({ details: { field: 'metric' } });
    const shifted = { name: 'm', version: '1', outputs: good.map((score) => 2 * score) };
    expect(await refused({ test: 'paired_t', metric: 'brier', baseline: shifted })).toMatchObject({
      details: { field: 'outputs' },
    });
  });

  it('refuses classes that can never be equal: text beside numbers, and NaN', async () => {
    const classes = { labels: bits(good), test: 'mcnemar_exact' as const };
    const refused = async (outputs: ArrayLike<string | number>) => {
      const candidate = { name: 'm', version: '2', outputs };
      const baseline = { name: 'm', version: '1', outputs: bits(poor) };
      return await refusalOf(inTenant((tx) => compareVersions(tx, { ...comparison(classes), baseline, candidate })));
    };
    expect(await refused(bits(good).map(String))).toMatchObject({ details: { field: 'outputs', index: 0 } });
    const missing = bits(good).map((bit, row) => (row === 7 ? Number.NaN : bit));
    expect(await refused(missing)).toMatchObject({ details: { field: 'outputs', index: 7 } });
  });

  it("refuses scores where McNemar's tests want classes: almost every row would be wrong", async () => {
    const rows = { labels: bits(good), test: 'mcnemar_exact' as const };
    const candidate = { name: 'm', version: '2', outputs: good };
    const refusal = await refusalOf(inTenant((tx) => compareVersions(tx, { ...comparison(rows), candidate })));
    expect(refusal).toMatchObject({ code: 'invalid_input', details: { field: 'outputs', index: 0 } });
    expect(refusal.message).toContain('cut them at your threshold');
  });
});

describe('a family of comparisons', () => {
  const family = { name: 'march' };

  it('corrects all members anew with each one that comes', async () => {
    const members = await inTenant(async (tx) => {
      await compareVersions(tx, comparison({ family }));
      await compareVersions(tx, comparison({ family, test: 'mcnemar_exact' }, { baseline: good, candidate: good }));
      await compareVersions(tx, comparison({ family, labels: labels.toReversed() }));
      return (await listComparisons(tx, { filter: "family = 'march'" })).items;
    });
    const expected = holm(members.map(({ pValue }) => pValue ?? 1));
    expect(members.map(({ adjustedP }) => adjustedP)).toEqual(expected);
    for (const member of members) expect(member.decision).toBe(decideComparison(member));
  });

  it('is corrected anew without a member that is deleted', async () => {
    await inTenant(async (tx) => {
      const { id } = await compareVersions(tx, comparison({ family, test: 'mcnemar_exact' }));
      await compareVersions(tx, comparison({ family }));
      await deleteComparison(tx, { comparisonId: id });
      const [left, ...others] = (await listComparisons(tx)).items;
      expect(others).toEqual([]);
      expect(left?.adjustedP).toBe(left?.pValue);
    });
  });

  it.each([undefined, family])(
    'is told of a deletion once, where two ask for it at the same time (family: %j)',
    async (of) => {
      const tenant = freshTenant();
      const { id } = await inTenant((tx) => compareVersions(tx, comparison({ family: of })), tenant);
      const erased = barrier();
      const first = evaluation.run(tenant, async (tx) => {
        await deleteComparison(tx, { comparisonId: id });
        erased.open();
        await somebodyWaits(tx);
      });
      await erased.passed;
      // It still sees the comparison, and waits for who is deleting it.
      const second = evaluation.run(tenant, (tx) => deleteComparison(tx, { comparisonId: id }));
      expect(await refusalOf(second)).toMatchObject({ code: 'not_found' });
      await first;
      const told = await evaluation.run(tenant, (tx) =>
        tx.execute(sql`select from outbox_events where topic = 'comparison.deleted'`),
      );
      expect(told).toHaveLength(1);
    },
  );

  it('keeps its correction', async () => {
    await inTenant(async (tx) => {
      await compareVersions(tx, comparison({ family: { ...family, correction: 'benjamini_hochberg' } }));
      await compareVersions(tx, comparison({ family }));
      const other = tx.transaction((inner) =>
        compareVersions(inner, comparison({ family: { ...family, correction: 'holm' } })),
      );
      expect(await refusalOf(other)).toMatchObject({ code: 'conflict' });
    });
  });

  it('counts every member where two come at the same time', async () => {
    const tenant = freshTenant();
    await inTenant(async () => {}, tenant);
    const tests = ['delong', 'mcnemar_mid_p', 'mcnemar_exact', 'mcnemar_mid_p', 'delong', 'mcnemar_exact'] as const;
    const met = barrier(tests.length);
    const add = async (test: (typeof tests)[number]) =>
      await evaluation.run(tenant, async (tx) => {
        met.arrive();
        await met.passed;
        return await compareVersions(tx, comparison({ family, test }));
      });
    await Promise.all(tests.map(add));
    const { items } = await evaluation.run(tenant, (tx) => listComparisons(tx));
    expect(items.map(({ adjustedP }) => adjustedP)).toEqual(holm(items.map(({ pValue }) => pValue ?? 1)));
  });
});

describe('decideComparison', () => {
  const numbers = {
    difference: 0.02,
    lower: 0.01,
    upper: 0.03,
    adjustedP: 0.001,
    alpha: 0.05,
    margin: 0,
    higherIsBetter: true,
  };

  it('takes what lies within the margin as equivalent, significant or not', () => {
    expect(decideComparison(numbers)).toBe('better');
    expect(decideComparison({ ...numbers, margin: 0.05 })).toBe('equivalent');
    expect(decideComparison({ ...numbers, margin: 0.02 })).toBe('better');
  });

  it('goes by the sign in the direction of the metric, and by adjusted p', () => {
    expect(decideComparison({ ...numbers, higherIsBetter: false })).toBe('worse');
    expect(decideComparison({ ...numbers, difference: -0.02 })).toBe('worse');
    expect(decideComparison({ ...numbers, adjustedP: 0.051 })).toBe('undecided');
    expect(decideComparison({ ...numbers, adjustedP: null })).toBe('undecided');
  });
});
