import type { TenantTx } from '@mcp-hub/db-core';
import { registerVersion, renameModel, transitionStage } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  approveVersion,
  decideGate,
  evaluateBinary,
  type GateClause,
  listGateDecisions,
  listGates,
  promoteThroughGate,
  removeGate,
  replayDecision,
  setGate,
  withdrawApproval,
} from '../src/index.ts';
import {
  auc,
  candidate,
  compare,
  evaluate,
  good,
  poor,
  resultsOf,
  stageOf,
  withGateOf,
} from './support/gated-model.ts';
import { refusalOf } from './support/refusal-of.ts';
import { dataset } from './support/rows.ts';
import { useEvaluation } from './support/use-evaluation.ts';

const evaluation = useEvaluation();
const withGate = withGateOf(evaluation);

describe('promoteThroughGate', () => {
  it('moves what passes, by a clearance of the decision, in one transaction', async () => {
    await withGate([auc], async (tx) => {
      const found = await promoteThroughGate(tx, { ...candidate, reason: 'better' });
      expect(found).toMatchObject({ passed: true, change: { moves: [{ version: '2' }, { version: '1' }] } });
      expect(await stageOf(tx, '2')).toBe('production');
      const [clearance] = await tx.execute(sql`select id, guard, evidence->>'decisionId' as decision,
                                                      used_by_change_number is not null as used from stage_clearances`);
      const [decision] = found.decisions;
      expect(clearance).toEqual({
        id: decision?.clearanceId,
        guard: 'gate:quality',
        decision: decision?.id,
        used: true,
      });
    });
  });

  it('returns a refusal with the clause and its numbers, keeps it, and moves nothing', async () => {
    const tenant = freshTenant();
    await withGate(
      [{ kind: 'metric', metric: 'f1', min: 0 }, auc],
      async (tx) => {
        const found = await promoteThroughGate(tx, candidate);
        expect(found).toMatchObject({ passed: false, change: undefined });
        const [decision] = found.decisions;
        expect(decision).toMatchObject({ passed: false, clearanceId: null, revision: 1, actor: 'author' });
        const [first, second] = resultsOf(found);
        expect(first).toMatchObject({ clause: 0, passed: true });
        expect(second).toMatchObject({ clause: 1, kind: 'metric', passed: false, numbers: { min: 0.8 } });
        expect(second?.because).toBe(`roc_auc is ${second?.numbers['value']} and has to be at least 0.8.`);
      },
      { scores: poor, tenant },
    );
    await evaluation.run(tenant, async (tx) => {
      expect((await listGateDecisions(tx, { filter: 'passed = false' })).items).toHaveLength(1);
      expect(await stageOf(tx, '2')).toBe('development');
      expect(await refusalOf(transitionStage(tx, candidate))).toMatchObject({ code: 'failed_precondition' });
    });
  });

  it('needs every gate of the stage, and clears none where one refuses', async () => {
    await withGate([auc], async (tx) => {
      const policy = { clauses: [{ kind: 'approvals' as const, actors: 1 }] };
      await setGate(tx, { name: 'm', stage: 'production', gate: 'people', policy });
      const found = await promoteThroughGate(tx, candidate);
      expect(found.decisions.map(({ policyName, passed }) => [policyName, passed])).toEqual([
        ['people', false],
        ['quality', true],
      ]);
      expect([...(await tx.execute(sql`select id from stage_clearances`))]).toEqual([]);
      await approveVersion(tx, candidate);
      expect(await promoteThroughGate(tx, candidate)).toMatchObject({ passed: true });
    });
  });

  it('leaves a version that is there already, without a decision', async () => {
    await withGate([auc], async (tx) => {
      const found = await promoteThroughGate(tx, { ...candidate, version: '1' });
      expect(found).toEqual({ passed: true, decisions: [], change: { changeNumber: undefined, moves: [] } });
    });
  });

  it('says of a stage without a gate what to do, and of a gate of another name that it is not there', async () => {
    const refused = async (more: object) =>
      await refusalOf(withGate([auc], (tx) => decideGate(tx, { ...candidate, ...more })));
    expect(await refused({ stage: 'staging' })).toMatchObject({
      code: 'not_found',
      message: 'No gate is before this stage: set one by setGate, or move the version by transitionStage.',
    });
    expect(await refused({ gate: 'speed' })).toMatchObject({
      code: 'not_found',
      message: 'There is no such gate on this stage of the model.',
    });
  });
});

describe('a clause', () => {
  const judge = async (clause: GateClause, prepare: (tx: TenantTx) => Promise<unknown> = async () => {}) =>
    await withGate([clause], async (tx) => {
      await prepare(tx);
      return resultsOf(await decideGate(tx, candidate))[0];
    });

  it('on a metric may hold the end of its interval', async () => {
    const value = await withGate([auc], async (tx) => resultsOf(await decideGate(tx, candidate))[0]?.numbers);
    const min = (Number(value?.['value']) + Number(value?.['lower'])) / 2;
    expect(await judge({ ...auc, min })).toMatchObject({ passed: true });
    expect(await judge({ ...auc, min, byInterval: true })).toMatchObject({ passed: false });
    expect(await judge({ kind: 'metric', metric: 'f1', min: 0, byInterval: true })).toMatchObject({ passed: false });
  });

  it('on a metric that the evaluation lacks or leaves undefined is refused with the reason', async () => {
    expect((await judge({ kind: 'metric', metric: 'ndcg', min: 0 }))?.because).toBe('The evaluation has no ndcg.');
    const oneClass = async (tx: TenantTx) =>
      await evaluateBinary(tx, { name: 'm', version: '2', dataset, labels: [1], scores: [1] });
    expect((await judge(auc, oneClass))?.because).toBe('roc_auc is undefined: All rows are of one class.');
  });

  it('on slices holds each with enough rows, and names the worst', async () => {
    const slices = { kind: 'slices', feature: 'origin', metric: 'recall', minRows: 30 } as const;
    expect(await judge({ ...slices, min: 0.1 })).toMatchObject({ passed: true, numbers: { slices: 3, failed: 0 } });
    const refused = await judge({ ...slices, min: 1 });
    expect(refused).toMatchObject({ passed: false, numbers: { slices: 3, min: 1 } });
    expect(['SFO', 'LAX', 'JFK']).toContain(refused?.numbers['worstSlice']);
    expect(await judge({ ...slices, min: 0, minRows: 299 })).toMatchObject({ passed: false });
    const both = [slices, { ...slices, minRows: 299 }].map((clause) => ({ ...clause, min: 0 }));
    const found = await withGate(both, async (tx) => resultsOf(await decideGate(tx, candidate)));
    expect(found.map(({ passed }) => passed)).toEqual([true, false]);
  });

  const superior = { kind: 'comparison', relation: 'superior', test: 'delong', metric: 'roc_auc' } as const;
  const nonInferior = { ...superior, relation: 'non_inferior', margin: 0.02 } as const;

  it('on superiority needs the named test against the version in production', async () => {
    expect(await judge(superior)).toMatchObject({
      passed: false,
      because: expect.stringContaining('There is no delong'),
    });
    expect(await judge(superior, (tx) => compare(tx, poor, good))).toMatchObject({ passed: true });
    expect(await judge(superior, (tx) => compare(tx, good, poor))).toMatchObject({ passed: false });
    expect(await judge({ ...superior, margin: 0.9 }, (tx) => compare(tx, poor, good))).toMatchObject({ passed: false });
  });

  it('on non-inferiority holds the interval against the margin', async () => {
    const close = good.map((score, row) => score + (row % 2) * 1e-4);
    expect(await judge(nonInferior, (tx) => compare(tx, good, close))).toMatchObject({ passed: true });
    expect(await judge(nonInferior, (tx) => compare(tx, good, poor))).toMatchObject({ passed: false });
    const wide = await judge(nonInferior, (tx) => compare(tx, good, close, { alpha: 0.2 }));
    expect(wide?.because).toContain('level');
  });

  it('on a comparison reads none with a version that has left production', async () => {
    const replaced = await judge(superior, async (tx) => {
      await compare(tx, poor, good);
      await registerVersion(tx, { name: 'm' });
      await removeGate(tx, { name: 'm', stage: 'production', gate: 'quality' });
      await transitionStage(tx, { name: 'm', version: '3', stage: 'production' });
      await setGate(tx, { name: 'm', stage: 'production', gate: 'quality', policy: { clauses: [superior] } });
    });
    expect(replaced?.because).toContain('There is no delong');
  });

  it('on a comparison lets the first version in, unless it says otherwise', async () => {
    const empty = async (tx: TenantTx) => await transitionStage(tx, { name: 'm', version: '1', stage: 'archived' });
    expect(await judge(superior, empty)).toMatchObject({ passed: true });
    expect(await judge({ ...superior, allowFirst: false }, empty)).toMatchObject({ passed: false });
  });

  it('on freshness goes by the time of the decision', async () => {
    const tenant = freshTenant();
    await withGate([{ kind: 'freshness', maxAgeHours: 24 }], async () => {}, { tenant });
    const at = async (hours: number) => {
      const now = new Date(Date.now() + hours * 3_600_000);
      return (await evaluation.run(tenant, (tx) => decideGate(tx, candidate), { now })).passed;
    };
    expect([await at(23), await at(25)]).toEqual([true, false]);
  });
});

it('a pinned dataset lets only evaluations on those rows count', async () => {
  await withGate([auc], async (tx) => {
    const policy = { dataset: { digest: 'sha256:other' }, clauses: [auc] };
    await setGate(tx, { name: 'm', stage: 'production', gate: 'quality', policy });
    const refused = await decideGate(tx, candidate);
    expect(resultsOf(refused)[0]?.because).toContain('no evaluation');
    await evaluate(tx, '2', good, { dataset: { name: 'flights', digest: 'sha256:other' } });
    expect(await decideGate(tx, candidate)).toMatchObject({ passed: true, decisions: [{ revision: 2 }] });
  });
});

it('approvals count distinct actors by their last word, and on request not the author', async () => {
  const tenant = freshTenant();
  const as = async <Result>(actor: string, work: (tx: TenantTx) => Promise<Result>) =>
    await evaluation.run(tenant, work, { actor });
  const passes = async () => (await as('anyone', (tx) => decideGate(tx, candidate))).passed;
  await withGate([{ kind: 'approvals', actors: 2, exceptAuthor: true }], async () => {}, { tenant });
  await as('author', (tx) => approveVersion(tx, candidate));
  await as('ada', (tx) => approveVersion(tx, candidate));
  await as('ada', (tx) => approveVersion(tx, candidate));
  expect(await passes()).toBe(false);
  await as('bob', (tx) => approveVersion(tx, { ...candidate, comment: 'looked at the slices' }));
  expect(await passes()).toBe(true);
  await as('ada', (tx) => withdrawApproval(tx, candidate));
  expect(await passes()).toBe(false);
  const nobody = evaluation.run(tenant, (tx) => approveVersion(tx, candidate));
  expect(await refusalOf(nobody)).toMatchObject({ code: 'failed_precondition' });
});

describe('a decision', () => {
  it('is made again from what was kept of it, whatever has changed since', async () => {
    const clauses: GateClause[] = [
      auc,
      { kind: 'slices', feature: 'origin', metric: 'recall', min: 0.99, minRows: 30 },
      { kind: 'comparison', relation: 'superior', test: 'delong', metric: 'roc_auc' },
      { kind: 'approvals', actors: 1 },
      { kind: 'freshness', maxAgeHours: 1 },
    ];
    await withGate(clauses, async (tx) => {
      await compare(tx, poor, good);
      await decideGate(tx, candidate);
      await evaluate(tx, '2', poor);
      await approveVersion(tx, candidate);
      const [kept] = (await listGateDecisions(tx)).items;
      if (kept === undefined) throw new Error('The decision is kept.');
      expect(replayDecision(kept)).toEqual({ passed: kept.passed, results: kept.results, isSame: true });
      const touched = { ...kept, inputs: { ...kept.inputs, approvals: [{ actor: 'x', id: 'y' }] } };
      expect(replayDecision(touched).isSame).toBe(false);
    });
  });

  it('cannot be changed', async () => {
    const tenant = freshTenant();
    await withGate([auc], (tx) => decideGate(tx, candidate), { tenant });
    const change = evaluation.run(tenant, (tx) => tx.execute(sql`update gate_decisions set passed = false`));
    expect(await refusalOf(change)).toMatchObject({ code: 'permission_denied' });
  });

  it('of two promotions at the same time is made by whoever is in production when its turn comes', async () => {
    const tenant = freshTenant();
    const superior = { kind: 'comparison', relation: 'superior', test: 'delong', metric: 'roc_auc' } as const;
    await withGate(
      [superior],
      async (tx) => {
        await registerVersion(tx, { name: 'm' });
        await compare(tx, poor, good);
        await compare(tx, poor, good, { candidate: { name: 'm', version: '3', outputs: good } });
      },
      { tenant },
    );
    const promote = (version: string) =>
      evaluation.run(tenant, (tx) => promoteThroughGate(tx, { ...candidate, version }));
    const found = await Promise.all([promote('2'), promote('3')]);
    expect(found.filter(({ passed }) => passed)).toHaveLength(1);
  });
});

describe('setGate', () => {
  it('writes nothing where the policy stands already, and counts revisions', async () => {
    await withGate([auc], async (tx) => {
      const [first] = await listGates(tx, { name: 'm' });
      const policy = { clauses: [{ min: 0.8, metric: 'roc_auc', kind: 'metric' as const }] };
      expect(await setGate(tx, { name: 'm', stage: 'production', gate: 'quality', policy })).toEqual(first);
      const changed = await setGate(tx, {
        name: 'm',
        stage: 'production',
        gate: 'quality',
        policy: { clauses: [{ ...auc, min: 0.9 }] },
      });
      expect(changed).toMatchObject({ id: first?.id, revision: 2 });
      await removeGate(tx, { name: 'm', stage: 'production', gate: 'quality' });
      expect(await listGates(tx, { name: 'm', stage: 'production' })).toEqual([]);
      await transitionStage(tx, candidate);
      const history = await tx.execute(sql`select revision, policy is null as removed from gate_changes order by id`);
      expect([...history]).toEqual([
        { revision: 1, removed: false },
        { revision: 2, removed: false },
        { revision: 3, removed: true },
      ]);
    });
  });

  it('goes with the model through a rename', async () => {
    await withGate([{ ...auc, min: 1 }], async (tx) => {
      await renameModel(tx, { name: 'm', newName: 'n' });
      expect(await listGates(tx, { name: 'n' })).toMatchObject([{ name: 'quality' }]);
      expect(await promoteThroughGate(tx, { ...candidate, name: 'n' })).toMatchObject({ passed: false });
    });
  });

  it('refuses a clause without a bound and a policy without clauses', async () => {
    const refused = async (policy: object) =>
      await refusalOf(
        withGate([auc], (tx) => setGate(tx, { name: 'm', stage: 'production', gate: 'g', policy: policy as never })),
      );
    expect(await refused({ clauses: [] })).toMatchObject({ code: 'invalid_input' });
    expect(await refused({ clauses: [{ kind: 'metric', metric: 'f1' }] })).toMatchObject({ code: 'invalid_input' });
  });
});
