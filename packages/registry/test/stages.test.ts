import type { TenantTx } from '@mcp-hub/db-core';
import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  getVersion,
  issueStageClearance,
  legalMoves,
  type ModelStage,
  modelStages,
  registerVersion,
  removeStageGuard,
  resolveModel,
  revokeStageClearances,
  rollbackPromotion,
  setStageGuard,
  transitionStage,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { somebodyWaits } from './support/somebody-waits.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

async function tenantWithVersions(count: number): Promise<string> {
  const tenant = freshTenant();
  await registry.run(tenant, async (tx) => {
    for (let made = 0; made < count; made += 1) await registerVersion(tx, { name: 'm' });
  });
  return tenant;
}

const move = (tx: TenantTx, version: string, stage: ModelStage, archiveOthers?: boolean) =>
  transitionStage(tx, { name: 'm', version, stage, ...(archiveOthers === undefined ? {} : { archiveOthers }) });

/** The stage of each version, in the order of registration. */
async function stagesOf(tx: TenantTx): Promise<readonly string[]> {
  const rows = await tx.execute<{ stage: string }>(sql`select stage from model_registry order by id`);
  return rows.map(({ stage }) => stage);
}

describe('transitionStage', () => {
  it('archives the others of the target stage when asked to, and of production without being asked', async () => {
    const tenant = await tenantWithVersions(3);
    await registry.run(tenant, async (tx) => {
      await move(tx, '1', 'staging');
      await move(tx, '2', 'production');
      const change = await move(tx, '3', 'staging', true);
      expect(change.moves.map(({ version, fromStage, toStage }) => [version, fromStage, toStage])).toEqual([
        ['3', 'development', 'staging'],
        ['1', 'staging', 'archived'],
      ]);
      expect(await stagesOf(tx)).toEqual(['archived', 'production', 'staging']);
      const [first, third] = [
        await getVersion(tx, { name: 'm', version: '1' }),
        await getVersion(tx, { name: 'm', version: '3' }),
      ];
      expect(first.updatedAt).toEqual(third.updatedAt);
      await move(tx, '3', 'production');
      expect(await stagesOf(tx)).toEqual(['archived', 'archived', 'production']);
    });
  });

  it('leaves the others where they are when told so', async () => {
    const tenant = await tenantWithVersions(2);
    await registry.run(tenant, async (tx) => {
      await move(tx, '2', 'production');
      await move(tx, '1', 'production', false);
      expect(await stagesOf(tx)).toEqual(['production', 'production']);
      // The last that entered, and not the last that was registered.
      expect((await resolveModel(tx, 'm:production')).version).toBe('1');
    });
  });

  it.each(['development', 'archived'] as const)('does not archive the others of %s', async (stage) => {
    const tenant = await tenantWithVersions(1);
    const refusal = await refusalOf(registry.run(tenant, (tx) => move(tx, '1', stage, true)));
    expect([refusal.code, refusal.details['field']]).toEqual(['invalid_input', 'archiveOthers']);
  });

  it('takes a stage in any case, stores it in lower case, and lists the valid ones for another', async () => {
    const tenant = await tenantWithVersions(1);
    await registry.run(tenant, async (tx) => {
      await transitionStage(tx, { name: 'm', version: '1', stage: 'Staging', expectedStage: 'DEVELOPMENT' });
      expect(await stagesOf(tx)).toEqual(['staging']);
      const refusal = await refusalOf(move(tx, '1', 'unknown' as ModelStage));
      expect(refusal.message).toBe('stage must be one of: development, staging, production, archived.');
    });
  });

  it('makes the legal moves and no others', async () => {
    for (const from of modelStages) {
      for (const to of modelStages) {
        const tenant = await tenantWithVersions(1);
        await registry.run(tenant, async (tx) => {
          await tx.execute(sql`update model_registry set stage = ${from}`);
          if (from === to || legalMoves[from].includes(to)) {
            await move(tx, '1', to);
            expect(await stagesOf(tx)).toEqual([to]);
          } else {
            expect((await refusalOf(move(tx, '1', to))).code).toBe('failed_precondition');
            expect(await stagesOf(tx)).toEqual([from]);
          }
        });
      }
    }
  });

  it('refuses when the version is not in the expected stage', async () => {
    const tenant = await tenantWithVersions(1);
    const refusal = await refusalOf(
      registry.run(tenant, (tx) =>
        transitionStage(tx, { name: 'm', version: '1', stage: 'production', expectedStage: 'staging' }),
      ),
    );
    expect(refusal.code).toBe('conflict');
  });

  it('writes nothing where the version is in the stage already', async () => {
    const tenant = await tenantWithVersions(1);
    await registry.run(tenant, async (tx) => {
      expect(await move(tx, '1', 'development')).toEqual({ changeNumber: undefined, moves: [] });
      expect(await tx.execute(sql`select 1 from model_stage_transitions where from_stage is not null`)).toHaveLength(0);
    });
  });

  it('writes who, when and why, and an event for each version that moved', async () => {
    const tenant = await tenantWithVersions(2);
    const now = new Date(Date.now() + 60_000);
    await registry.run(
      tenant,
      async (tx) => {
        await move(tx, '1', 'production');
        await transitionStage(tx, { name: 'm', version: '2', stage: 'production', reason: 'better on March' });
      },
      { actor: 'ada', now },
    );
    const rows = await registry.run(tenant, (tx) =>
      tx.execute(sql`
        select version, from_stage, to_stage, reason, actor, occurred_at = ${now.toISOString()}::timestamptz as at_now
          from model_stage_transitions where from_stage is not null order by change_number, to_stage desc`),
    );
    const facts = { actor: 'ada', at_now: true };
    expect(rows).toEqual([
      { version: '1', from_stage: 'development', to_stage: 'production', reason: null, ...facts },
      { version: '2', from_stage: 'development', to_stage: 'production', reason: 'better on March', ...facts },
      { version: '1', from_stage: 'production', to_stage: 'archived', reason: 'better on March', ...facts },
    ]);
    const events = await registry.run(tenant, (tx) =>
      tx.execute(sql`select payload from outbox_events where topic = 'model_version.stage_changed' order by id`),
    );
    expect(events.map(({ payload }) => payload)).toMatchObject([
      { version: '1', fromStage: 'development', toStage: 'production' },
      { version: '2', fromStage: 'development', toStage: 'production' },
      { version: '1', fromStage: 'production', toStage: 'archived' },
    ]);
  });

  it('leaves exactly one of many versions that are promoted at the same time in production', async () => {
    const tenant = await tenantWithVersions(8);
    await Promise.all(
      Array.from({ length: 8 }, (_, index) => registry.run(tenant, (tx) => move(tx, String(index + 1), 'production'))),
    );
    const stages = await registry.run(tenant, stagesOf);
    expect(stages.filter((stage) => stage === 'production')).toHaveLength(1);
    expect(stages.filter((stage) => stage === 'archived')).toHaveLength(7);
  });

  it('never bears an earlier time than the change before it, though its transaction began earlier', async () => {
    const tenant = await tenantWithVersions(2);
    const began = Date.now() + 60_000;
    const promote = (version: string, now: Date) =>
      registry.run(tenant, (tx) => move(tx, version, 'production'), { now });
    await promote('1', new Date(began + 5_000));
    await promote('2', new Date(began));
    const rows = await registry.run(tenant, (tx) =>
      tx.execute<{ version: string; at: string }>(sql`
        select version, extract(epoch from occurred_at) * 1000 as at from model_stage_transitions
         where to_stage = 'production' order by change_number`),
    );
    expect(rows.map(({ version, at }) => [version, Number(at) - began])).toEqual([
      ['1', 5_000],
      ['2', 5_000],
    ]);
  });
});

describe('rollbackPromotion', () => {
  it('takes back the last promotion, then the one before', async () => {
    const tenant = await tenantWithVersions(2);
    await registry.run(tenant, async (tx) => {
      await move(tx, '1', 'staging');
      await move(tx, '1', 'production');
      await move(tx, '2', 'production');
      await rollbackPromotion(tx, { name: 'm', expectedVersion: '2', reason: 'drift' });
      expect(await stagesOf(tx)).toEqual(['production', 'development']);
      expect((await resolveModel(tx, 'm:production')).version).toBe('1');
      await rollbackPromotion(tx, { name: 'm' });
      expect(await stagesOf(tx)).toEqual(['staging', 'development']);
      expect((await refusalOf(rollbackPromotion(tx, { name: 'm' }))).code).toBe('failed_precondition');
    });
  });

  it('refuses when a version has moved since, or another one is meant', async () => {
    const tenant = await tenantWithVersions(2);
    await registry.run(tenant, async (tx) => {
      await move(tx, '1', 'production');
      await move(tx, '2', 'production');
      expect((await refusalOf(rollbackPromotion(tx, { name: 'm', expectedVersion: '1' }))).code).toBe('conflict');
      await move(tx, '1', 'staging');
      expect((await refusalOf(rollbackPromotion(tx, { name: 'm' }))).code).toBe('failed_precondition');
      expect(await stagesOf(tx)).toEqual(['staging', 'production']);
    });
  });

  it('called twice at the same time for one version takes its promotion back once', async () => {
    const tenant = await tenantWithVersions(2);
    await registry.run(tenant, async (tx) => {
      await move(tx, '1', 'production');
      await move(tx, '2', 'production');
    });
    const outcomes = await Promise.allSettled(
      [1, 2].map(() => registry.run(tenant, (tx) => rollbackPromotion(tx, { name: 'm', expectedVersion: '2' }))),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await registry.run(tenant, stagesOf)).toEqual(['production', 'development']);
  });
});

describe('a guard on a stage', () => {
  const guard = { name: 'm', stage: 'production', guard: 'quality' } as const;

  it('admits a version with an unused clearance, once', async () => {
    const tenant = await tenantWithVersions(1);
    await registry.run(tenant, async (tx) => {
      await setStageGuard(tx, guard);
      expect((await refusalOf(move(tx, '1', 'production'))).code).toBe('failed_precondition');
      await issueStageClearance(tx, { ...guard, version: '1', evidence: { auc: 0.81 } });
      await move(tx, '1', 'production');
      await move(tx, '1', 'staging');
      expect(await refusalOf(move(tx, '1', 'production'))).toMatchObject({
        message: expect.stringContaining('Issue a clearance for each'),
        details: { guards: 1, cleared: 0 },
      });
      await removeStageGuard(tx, guard);
      await move(tx, '1', 'production');
    });
  });

  it('does not accept the clearance of another version, stage or guard, nor one that has expired', async () => {
    const tenant = await tenantWithVersions(2);
    await registry.run(tenant, async (tx) => {
      await setStageGuard(tx, guard);
      await issueStageClearance(tx, { ...guard, version: '2' });
      await issueStageClearance(tx, { ...guard, version: '1', stage: 'staging' });
      await issueStageClearance(tx, { ...guard, version: '1', guard: 'fairness' });
      await issueStageClearance(tx, { ...guard, version: '1', expiresAt: new Date(0) });
      expect((await refusalOf(move(tx, '1', 'production'))).code).toBe('failed_precondition');
    });
  });

  it('keeps the clearance when the transition is rolled back', async () => {
    const tenant = await tenantWithVersions(1);
    await registry.run(tenant, async (tx) => {
      await setStageGuard(tx, guard);
      await issueStageClearance(tx, { ...guard, version: '1' });
      await tx
        .transaction(async (inner) => {
          await move(inner, '1', 'production');
          throw new Error('undo');
        })
        .catch(() => {});
      await move(tx, '1', 'production');
    });
  });

  it('does not accept a clearance that was taken back, and says how many were', async () => {
    const tenant = await tenantWithVersions(1);
    const clearance = { ...guard, version: '1' };
    await registry.run(
      tenant,
      async (tx) => {
        await setStageGuard(tx, guard);
        for (let made = 0; made < 2; made++) await issueStageClearance(tx, clearance);
        await move(tx, '1', 'production');
        await move(tx, '1', 'staging');
        await issueStageClearance(tx, { ...clearance, guard: 'fairness' });
        expect(await revokeStageClearances(tx, clearance)).toBe(1);
        expect(await revokeStageClearances(tx, clearance)).toBe(0);
        expect((await refusalOf(move(tx, '1', 'production'))).details).toMatchObject({ guards: 1, cleared: 0 });
        const kept = await tx.execute(sql`
          select guard, used_by_change_number is not null as used, revoked_by from stage_clearances order by id`);
        expect([...kept]).toEqual([
          { guard: 'quality', used: true, revoked_by: null },
          { guard: 'quality', used: false, revoked_by: 'ada' },
          { guard: 'fairness', used: false, revoked_by: null },
        ]);
        await issueStageClearance(tx, clearance);
        await move(tx, '1', 'production');
      },
      { actor: 'ada' },
    );
    expect(
      (await refusalOf(registry.run(tenant, (tx) => revokeStageClearances(tx, { ...clearance, version: '9' })))).code,
    ).toBe('not_found');
  });

  it('takes back with a guard what it has issued, so that it starts anew when it is set again', async () => {
    const tenant = await tenantWithVersions(2);
    await registry.run(tenant, async (tx) => {
      await setStageGuard(tx, guard);
      for (const version of ['1', '2']) await issueStageClearance(tx, { ...guard, version });
      await removeStageGuard(tx, guard);
      await setStageGuard(tx, guard);
      for (const version of ['1', '2']) {
        expect((await refusalOf(move(tx, version, 'production'))).code).toBe('failed_precondition');
      }
    });
  });

  it.each(['taken back', 'used'] as const)(
    'of a clearance that is used and taken back at the same time: %s first',
    async (first) => {
      const tenant = await tenantWithVersions(1);
      await registry.run(tenant, async (tx) => {
        await setStageGuard(tx, guard);
        await issueStageClearance(tx, { ...guard, version: '1' });
      });
      const calls = {
        'taken back': (tx: TenantTx) => revokeStageClearances(tx, { ...guard, version: '1' }),
        used: (tx: TenantTx) => move(tx, '1', 'production'),
      };
      const held = barrier();
      const winner = registry.run(tenant, async (tx) => {
        const outcome = await calls[first](tx);
        held.open();
        await somebodyWaits(tx);
        return outcome;
      });
      await held.passed;
      const loser = registry.run<unknown>(tenant, calls[first === 'used' ? 'taken back' : 'used']);
      if (first === 'used') {
        expect(await Promise.all([winner, loser])).toMatchObject([{ moves: [{ toStage: 'production' }] }, 0]);
      } else {
        expect((await refusalOf(loser)).code).toBe('failed_precondition');
        expect(await winner).toBe(1);
      }
    },
  );
});
