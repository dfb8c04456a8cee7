import { connect, type Database, isDomainError, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { listEvaluations, listGateDecisions, replayDecision } from '@mcp-hub/evaluation';
import { listStageTransitions, transitionStage } from '@mcp-hub/registry';
import { useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JudgedVersions, judgeVersions } from '../src/evaluate/judge-versions.ts';
import { modelName } from '../src/late-arrival-models.ts';
import { type JudgedCoast, judgeCoast, tenant } from './judge-coast.ts';

const database = useTestDatabase();
let db: Database;
let trained: JudgedCoast['trained'];
let judged: JudgedVersions;
const read = <T>(work: (tx: TenantTx) => Promise<T>) => withTenant(db, tenant, work, { actor: 'test' });

beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 4, requireUnprivileged: true });
  ({ trained, judged } = await judgeCoast(db));
}, 120_000);
afterAll(async () => {
  await db.close();
});

describe('the versions on the days that were held back', () => {
  it('have metrics with intervals, of which the AUC is that of the run', () => {
    for (const [at, { metrics, evaluation, confusion }] of judged.evaluated.entries()) {
      const auc = metrics.get('roc_auc');
      expect(auc).toMatchObject({ value: trained[at]?.heldBackAuc, intervalMethod: 'delong', n: 1370 });
      for (const name of ['roc_auc', 'recall', 'mean_cost', 'brier', 'f1']) {
        const { value, lower, upper } = metrics.get(name) ?? {};
        expect([name, (lower ?? 2) < (value ?? -1), (value ?? 2) < (upper ?? -1)]).toEqual([name, true, true]);
      }
      expect(evaluation).toMatchObject({ n: 1370, runId: trained[at]?.runId });
      expect(confusion.counts.flat().reduce((sum, n) => sum + n, 0)).toBe(1370);
    }
    expect(new Set(judged.evaluated.map(({ evaluation }) => evaluation.datasetDigest)).size).toBe(1);
  });

  it('are sliced by the airports with a hundred flights, the worst first', () => {
    for (const { slices } of judged.evaluated) {
      const values = slices.map(({ value }) => value ?? 0);
      expect(slices).toHaveLength(8);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect(Math.min(...slices.map(({ n }) => n))).toBeGreaterThanOrEqual(100);
    }
  });

  it('have the cheapest threshold of their scores', () => {
    for (const [at, { thresholds }] of judged.evaluated.entries()) {
      const heldBack = trained[at]?.heldBack ?? [];
      const costFrom = (threshold: number) =>
        heldBack.reduce((sum, { late, score }) => sum + (score >= threshold ? Number(!late) : 4 * Number(late)), 0);
      const best = thresholds.filter(({ bestCost }) => bestCost);
      expect(best.length).toBeGreaterThan(0);
      for (const { threshold, cost } of best) expect(costFrom(threshold)).toBe(cost);
      expect(Math.min(...heldBack.map(({ score }) => costFrom(score)))).toBe(best[0]?.cost);
    }
  });

  it('are compared on the same flights, with p values that are corrected together', () => {
    const all = judged.compared.flatMap(({ comparisons }) => comparisons);
    expect(judged.compared.map(({ version }) => version)).toEqual(['2', '3']);
    expect(all.map(({ test }) => test)).toEqual(['delong', 'mcnemar_exact', 'delong', 'mcnemar_exact']);
    for (const { pValue, adjustedP, n } of all) {
      expect(n).toBe(1370);
      expect(adjustedP).toBeGreaterThanOrEqual(pValue ?? 2);
    }
    // Holm: the smallest of four times four.
    const [smallest] = all.toSorted((a, b) => (a.pValue ?? 1) - (b.pValue ?? 1));
    expect(smallest?.adjustedP).toBeCloseTo(4 * (smallest?.pValue ?? 0), 70);
    expect(smallest).toMatchObject({ test: 'mcnemar_exact', decision: 'worse' });
  });
});

describe('the gate', () => {
  it('refuses the tuned version, naming clauses and numbers, and the registry does not let it past', async () => {
    const [refused] = judged.gated;
    expect(refused).toMatchObject({ version: '3', isNew: true, decision: { passed: false, clearanceId: null } });
    const failed = refused?.decision.results.filter(({ passed }) => !passed);
    expect(failed?.map(({ clause, kind }) => [clause, kind])).toEqual([
      [1, 'metric'],
      [3, 'comparison'],
    ]);
    const delong = judged.compared[1]?.comparisons[0];
    expect(failed?.[1]?.numbers).toMatchObject({ lower: delong?.lower, margin: 0.025 });
    expect(failed?.[1]?.because).toContain(String(-(delong?.lower ?? 0)));
    const past = read((tx) => transitionStage(tx, { name: modelName, version: '3', stage: 'production' }));
    await expect(past).rejects.toSatisfy((error) => isDomainError(error, 'failed_precondition'));
  });

  it('passes the second one, and the promotion is of the same transaction', async () => {
    const [, passed] = judged.gated;
    expect(passed).toMatchObject({ version: '2', decision: { passed: true } });
    expect(passed?.decision.results.every((result) => result.passed)).toBe(true);
    const { items } = await read((tx) => listStageTransitions(tx, { name: modelName, version: '2' }));
    expect(items[0]).toMatchObject({ toStage: 'production', fromStage: 'development', reason: 'passed by the gate' });
    // The times are those of the transactions, to the millisecond.
    expect(items[0]?.occurredAt).toEqual(passed?.decision.occurredAt);
    expect(judged).toMatchObject({ production: '2', champion: '2' });
  });

  it('decides the same when its decisions are replayed, and otherwise where a number was another', () => {
    for (const { decision, replaysTheSame } of judged.gated) {
      expect(replaysTheSame).toBe(true);
      const worse = decision.inputs.metrics.map((row) => (row.metric === 'roc_auc' ? { ...row, lower: 0.4 } : row));
      expect(replayDecision({ ...decision, inputs: { ...decision.inputs, metrics: worse } }).isSame).toBe(false);
    }
  });

  it('is not asked again: what was evaluated, compared and decided is there, with the same numbers', async () => {
    const again = await judgeVersions(db, tenant, trained);
    const areNew = ({ evaluated, compared, gated }: JudgedVersions) =>
      [...evaluated, ...compared, ...gated].map(({ isNew }) => isNew);
    expect(areNew(judged)).toEqual(Array.from({ length: 7 }, () => true));
    expect(areNew(again)).toEqual(Array.from({ length: 7 }, () => false));
    const numbersOf = (found: JudgedVersions) => ({
      ...found,
      ...{ evaluated: found.evaluated.map((version) => ({ ...version, isNew: false })) },
      ...{ compared: found.compared.map((version) => ({ ...version, isNew: false })) },
      ...{ gated: found.gated.map((version) => ({ ...version, isNew: false })) },
    });
    expect(numbersOf(again)).toEqual(numbersOf(judged));
    expect((await read((tx) => listEvaluations(tx))).items).toHaveLength(3);
    expect((await read((tx) => listGateDecisions(tx))).items).toHaveLength(2);
    const others = await withTenant(db, 'heartland', (tx) => listEvaluations(tx));
    expect(others.items).toEqual([]);
  });
});
