import type { TenantTx } from '@mcp-hub/db-core';
import { issueStageClearance, registerVersion, setStageGuard, transitionStage } from '@mcp-hub/registry';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { approveVersion, decideGate, promoteThroughGate, setGate, withdrawApproval } from '../src/index.ts';
import {
  auc,
  candidate,
  compare,
  evaluate,
  gate,
  good,
  poor,
  resultsOf,
  stageOf,
  withGateOf,
} from './support/gated-model.ts';
import { refusalOf } from './support/refusal-of.ts';
import { somebodyWaits } from './support/somebody-waits.ts';
import { useEvaluation } from './support/use-evaluation.ts';

// What a gate should have refused, and how somebody could have come past it.

const evaluation = useEvaluation();
const withGate = withGateOf(evaluation);
const clearance = { ...candidate, guard: 'gate:quality' };
const standing = async (tx: TenantTx) =>
  (await tx.execute(sql`select from stage_clearances where used_by_change_number is null and revoked_at is null`))
    .length;
const never = { ...auc, min: 1 };

describe('a clearance', () => {
  it('is not left behind by a decision that only asks: what it read may change before the version moves', async () => {
    await withGate([auc], async (tx) => {
      expect(await decideGate(tx, candidate)).toMatchObject({ passed: true, decisions: [{ clearanceId: null }] });
      expect(await refusalOf(transitionStage(tx, candidate))).toMatchObject({ code: 'failed_precondition' });
      await evaluate(tx, '2', poor);
      expect(await promoteThroughGate(tx, candidate)).toMatchObject({ passed: false, change: undefined });
    });
  });

  it('is used by the promotion that it was issued for, and no older one is kept for another time', async () => {
    await withGate([auc], async (tx) => {
      await issueStageClearance(tx, clearance);
      const { decisions } = await promoteThroughGate(tx, candidate);
      const used = await tx.execute(sql`select id from stage_clearances where used_by_change_number is not null`);
      expect([...used]).toEqual([{ id: decisions[0]?.clearanceId }]);
      expect(await standing(tx)).toBe(0);
    });
  });

  it('that was issued by hand is taken back by a decision that refuses', async () => {
    await withGate([never], async (tx) => {
      await issueStageClearance(tx, clearance);
      await decideGate(tx, candidate);
      expect(await standing(tx)).toBe(0);
      expect(await refusalOf(transitionStage(tx, candidate))).toMatchObject({ code: 'failed_precondition' });
    });
  });

  it.each(['the decision', 'the transition'] as const)(
    'is used or taken back where both happen at the same time: %s first',
    async (first) => {
      const tenant = freshTenant();
      await withGate([never], (tx) => issueStageClearance(tx, clearance), { tenant });
      const held = barrier();
      const decide = async (tx: TenantTx) => String((await decideGate(tx, candidate)).passed);
      const move = async (tx: TenantTx) =>
        await transitionStage(tx, candidate).then(
          () => 'moved',
          () => 'refused',
        );
      const [winner, loser] = first === 'the decision' ? [decide, move] : [move, decide];
      const won = evaluation.run(tenant, async (tx) => {
        const outcome = await winner(tx);
        held.open();
        await somebodyWaits(tx);
        return outcome;
      });
      await held.passed;
      const lost = evaluation.run(tenant, loser);
      expect(await Promise.all([won, lost])).toEqual(
        first === 'the decision' ? ['false', 'refused'] : ['moved', 'false'],
      );
      expect(await evaluation.run(tenant, standing)).toBe(0);
    },
  );

  it('ends with the transaction that issued it, also where that commits without the move', async () => {
    const tenant = freshTenant();
    await withGate(
      [auc],
      async (tx) => {
        await setStageGuard(tx, { name: 'm', stage: 'production', guard: 'legal' });
        expect(await refusalOf(promoteThroughGate(tx, candidate))).toMatchObject({ code: 'failed_precondition' });
      },
      { tenant },
    );
    const later = evaluation.run(
      tenant,
      async (tx) => {
        await issueStageClearance(tx, { ...candidate, guard: 'legal' });
        await transitionStage(tx, candidate);
      },
      { now: new Date(Date.now() + 1_000) },
    );
    expect((await refusalOf(later)).details).toMatchObject({ guards: 2, cleared: 1 });
  });
});

it('a promotion that waits for a change of the policy is judged by the policy that came', async () => {
  const tenant = freshTenant();
  await withGate([auc], async () => {}, { tenant });
  const changed = barrier();
  const stricter = evaluation.run(tenant, async (tx) => {
    await setGate(tx, { ...gate, policy: { clauses: [never] } });
    changed.open();
    await somebodyWaits(tx);
  });
  await changed.passed;
  const promoted = evaluation.run(tenant, async (tx) => {
    // Its snapshot would be older than the change, if one held for the transaction.
    await tx.execute(sql`select count(*) from gate_policies`);
    return await promoteThroughGate(tx, candidate);
  });
  await stricter;
  expect(await promoted).toMatchObject({ passed: false, decisions: [{ revision: 2 }] });
});

it('a promotion that waits for another is compared with what that one left in production', async () => {
  const tenant = freshTenant();
  const superior = { kind: 'comparison', relation: 'superior', test: 'delong', metric: 'roc_auc' } as const;
  await withGate(
    [superior],
    async (tx) => {
      await registerVersion(tx, { name: 'm' });
      for (const version of ['2', '3']) {
        await compare(tx, poor, good, { candidate: { name: 'm', version, outputs: good } });
      }
    },
    { tenant },
  );
  const moved = barrier();
  const first = evaluation.run(tenant, async (tx) => {
    const { passed } = await promoteThroughGate(tx, { ...candidate, version: '3' });
    moved.open();
    await somebodyWaits(tx);
    return passed;
  });
  await moved.passed;
  const second = evaluation.run(tenant, async (tx) => {
    await tx.execute(sql`select stage from model_registry`);
    return await promoteThroughGate(tx, candidate);
  });
  expect(await first).toBe(true);
  const [decision] = (await second).decisions;
  expect(decision).toMatchObject({ passed: false, inputs: { production: { version: '3' } } });
});

describe('rows that were written by hand', () => {
  const judged = async (clause: Parameters<typeof withGate>[0][number], write: (tx: TenantTx) => Promise<unknown>) =>
    await withGate([clause], async (tx) => {
      await write(tx);
      return await decideGate(tx, candidate);
    });

  it.each(['Infinity', '-Infinity', 'NaN'])('of a metric of %s pass no bound', async (value) => {
    const write = (tx: TenantTx) =>
      tx.execute(
        sql`update evaluation_metrics set value = ${value}::float8, lower = ${value}::float8, upper = ${value}::float8`,
      );
    for (const bound of [{ min: 0 }, { min: undefined, max: 1 }]) {
      expect(await judged({ ...auc, ...bound }, write)).toMatchObject({ passed: false });
      expect(await judged({ ...auc, ...bound, byInterval: true }, write)).toMatchObject({ passed: false });
      const slices = { kind: 'slices', feature: 'origin', metric: 'recall', minRows: 30, ...bound } as const;
      expect(await judged(slices, write)).toMatchObject({ passed: false });
    }
  });

  it.each(['superior', 'non_inferior'] as const)('of a comparison without numbers are not %s', async (relation) => {
    const clause = { kind: 'comparison', relation, test: 'delong', metric: 'roc_auc', margin: 0.1 } as const;
    for (const [column, value] of [
      ['difference', 'Infinity'],
      ['adjusted_p', '-Infinity'],
      ['lower', 'Infinity'],
      ['confidence', 'NaN'],
    ] as const) {
      const without = column === 'lower' || column === 'confidence' ? 'non_inferior' : 'superior';
      if (relation !== without) continue;
      const write = async (tx: TenantTx) => {
        await compare(tx, poor, good);
        await tx.execute(sql`update model_comparisons set ${sql.identifier(column)} = ${value}::float8`);
      };
      expect([column, await judged(clause, write)]).toMatchObject([column, { passed: false }]);
    }
  });

  it.each([
    ['without clauses', { clauses: [] }],
    ['with a bound that is null', { clauses: [{ kind: 'metric', metric: 'roc_auc', min: null }] }],
    ['of a kind that nobody knows', { clauses: [{ kind: 'weather' }] }],
  ])('of a policy %s are refused', async (_, policy) => {
    const write = (tx: TenantTx) => tx.execute(sql`update gate_policies set policy = ${JSON.stringify(policy)}::jsonb`);
    expect(await refusalOf(judged(auc, write))).toMatchObject({ code: 'failed_precondition' });
  });
});

describe('approvals', () => {
  const needs = (actors: number, exceptAuthor = false) => [{ kind: 'approvals' as const, actors, exceptAuthor }];
  const approvedBy = async (tenant: string, ...actors: readonly string[]) => {
    for (const actor of actors) await evaluation.run(tenant, (tx) => approveVersion(tx, candidate), { actor });
    return (await evaluation.run(tenant, (tx) => decideGate(tx, candidate))).passed;
  };

  it('of one actor in several spellings are one, and are withdrawn in any of them', async () => {
    const tenant = freshTenant();
    await withGate(needs(2), async () => {}, { tenant });
    expect(await approvedBy(tenant, 'Zoë', ' zoë', 'ZOË', 'Zoe\u0308', 'ｚoë')).toBe(false);
    expect(await approvedBy(tenant, 'bob')).toBe(true);
    await evaluation.run(tenant, (tx) => withdrawApproval(tx, candidate), { actor: 'zoë' });
    expect(await approvedBy(tenant)).toBe(false);
  });

  it('but the author hold also where the author is spelled otherwise, or is not known', async () => {
    const tenant = freshTenant();
    await withGate(needs(1, true), async () => {}, { tenant });
    expect(await approvedBy(tenant, 'AUTHOR')).toBe(false);
    expect(await approvedBy(tenant, 'bob')).toBe(true);
    await evaluation.run(tenant, (tx) => tx.execute(sql`update model_registry set actor = null`));
    expect(await approvedBy(tenant)).toBe(false);
  });

  it('are in the order of the database clock, whatever those of the clients say', async () => {
    const tenant = freshTenant();
    await withGate(needs(1), async () => {}, { tenant });
    const say = (approved: boolean, id: string, at: string) =>
      evaluation.run(
        tenant,
        (tx) =>
          tx.execute(sql`
          insert into gate_approvals (tenant_id, id, version_id, stage, approved, created_at)
          select tenant_id, ${id}::uuid, id, 'production', ${approved}, ${at}::timestamptz
            from model_registry where version = '2'`),
        { actor: 'ada' },
      );
    await say(true, '01990000-0000-7000-8000-000000000002', '2026-01-01');
    await say(false, '01990000-0000-7000-8000-000000000001', '2026-01-02');
    expect(await approvedBy(tenant)).toBe(false);
  });
});

describe('an evaluation', () => {
  const first = async (clause: Parameters<typeof withGate>[0][number], prepare: (tx: TenantTx) => Promise<unknown>) =>
    await withGate([clause], async (tx) => {
      await prepare(tx);
      return resultsOf(await decideGate(tx, candidate))[0];
    });

  it('of fewer rows than the clause asks for does not count', async () => {
    const few = (tx: TenantTx) => evaluate(tx, '2', Float64Array.of(0.1, 0.9), { labels: [0, 1], slices: {} });
    expect(await first(auc, few)).toMatchObject({ passed: true });
    expect(await first({ ...auc, minRows: 100 }, few)).toMatchObject({
      passed: false,
      numbers: { n: 2, minRows: 100 },
    });
  });

  it('that left out slices which the clause holds does not count', async () => {
    const slices = { kind: 'slices', feature: 'origin', metric: 'recall', min: 0.1, minRows: 30 } as const;
    const origin = good.map((_, row) => (row < 40 ? 1 : 2));
    const leavesOut = (tx: TenantTx) => evaluate(tx, '2', good, { slices: { origin }, minSliceRows: 100 });
    expect(await first(slices, leavesOut)).toMatchObject({
      passed: false,
      numbers: { minSliceRows: 100, slicesLeftOut: 1 },
    });
    expect(await first({ ...slices, minRows: 100 }, leavesOut)).toMatchObject({ passed: true });
    const leavesNoneOut = (tx: TenantTx) => evaluate(tx, '2', good, { slices: { origin }, minSliceRows: 40 });
    expect(await first(slices, leavesNoneOut)).toMatchObject({ passed: true });
  });

  it('of another split, dataset or part of the split, or of another version, does not count', async () => {
    const pinned = { dataset: { digest: 'sha256:1f', split: 'test' }, clauses: [auc] };
    await withGate(
      [auc],
      async (tx) => {
        await setGate(tx, { ...gate, policy: pinned });
        await evaluate(tx, '2', good, { split: 'train' });
        await evaluate(tx, '2', good, { slice: 'easy' });
        await evaluate(tx, '2', good, { dataset: { name: 'flights', digest: 'sha256:2e' } });
        await evaluate(tx, '1', good);
        expect(await promoteThroughGate(tx, candidate)).toMatchObject({ passed: false });
        expect(await stageOf(tx, '2')).toBe('development');
      },
      { scores: poor },
    );
  });
});
