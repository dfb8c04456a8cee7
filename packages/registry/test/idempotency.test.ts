import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  deleteModel,
  deleteVersion,
  getVersion,
  issueStageClearance,
  listStageTransitions,
  registerVersion,
  renameModel,
  rollbackPromotion,
  setVersionTag,
  transitionStage,
  updateVersion,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

describe('registerVersion, called again with its idempotency key,', () => {
  const facts = {
    name: 'm',
    description: 'd',
    artifactUri: 's3://a',
    contentDigest: 'sha256:1f',
    artifactBytes: 12,
    flavour: 'onnx',
    inputSignature: { b: [1, null], a: { text: 'x' } },
    metadata: { seed: 7 },
    tags: { team: 'ops', 'a b': '' },
    idempotencyKey: 'once',
  };

  it('gives what it gave first, however the version has changed since', async () => {
    const tenant = freshTenant();
    const register = () => registry.run(tenant, (tx) => registerVersion(tx, facts), { actor: 'ada' });
    const first = await register();
    expect(await registry.run(tenant, (tx) => getVersion(tx, { name: 'm', version: '1' }))).toEqual(first);
    expect(first).toMatchObject({ version: '1', actor: 'ada', tags: facts.tags, outputSignature: null });

    const version = { name: 'm', version: '1' };
    await registry.run(tenant, async (tx) => {
      await transitionStage(tx, { ...version, stage: 'production' });
      await updateVersion(tx, { ...version, artifactUri: 's3://b' });
      await setVersionTag(tx, { ...version, key: 'team', value: 'other' });
    });
    expect(await register()).toEqual(first);
    await registry.run(tenant, (tx) => renameModel(tx, { name: 'm', newName: 'n' }));
    expect(await register()).toEqual(first);
    await registry.run(tenant, (tx) => deleteVersion(tx, { name: 'n', version: '1', permanently: true }));
    expect(await register()).toEqual(first);
    await registry.run(tenant, (tx) => deleteModel(tx, { name: 'n', permanently: true }));
    expect(await register()).toEqual(first);
    expect(await registry.run(tenant, (tx) => tx.execute(sql`select 1 from model_registry`))).toHaveLength(0);
  });
});

describe('rollbackPromotion', () => {
  it('takes one step back for one key, however often it is called, and another for another', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      for (const version of ['1', '2', '3']) {
        await registerVersion(tx, { name: 'm' });
        await transitionStage(tx, { name: 'm', version, stage: 'production' });
      }
    });
    const rollBack = (idempotencyKey: string, reason?: string) =>
      registry.run(tenant, (tx) => rollbackPromotion(tx, { name: 'm', idempotencyKey, reason }));
    const [first, ...others] = await Promise.all([rollBack('a'), rollBack('a'), rollBack('a')]);
    expect(first.moves.map(({ version, toStage }) => [version, toStage])).toEqual([
      ['3', 'development'],
      ['2', 'production'],
    ]);
    for (const other of others) expect(other).toEqual(first);
    expect((await rollBack('b')).moves[0]?.version).toBe('2');
    expect((await refusalOf(rollBack('a', 'another body'))).code).toBe('conflict');
    const { items } = await registry.run(tenant, (tx) => listStageTransitions(tx, { name: 'm' }));
    expect(new Set(items.flatMap(({ undoesChangeNumber }) => undoesChangeNumber ?? [])).size).toBe(2);
  });
});

describe('issueStageClearance', () => {
  it('makes one clearance for one key, however often it is called', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, (tx) => registerVersion(tx, { name: 'm' }));
    const clearance = { name: 'm', version: '1', stage: 'production', guard: 'quality' } as const;
    const expiresAt = new Date('2100-01-01T00:00:00Z');
    const issue = (idempotencyKey?: string) =>
      registry.run(tenant, (tx) => issueStageClearance(tx, { ...clearance, expiresAt, idempotencyKey }));
    const ids = await Promise.all([issue('a'), issue('a'), issue('a'), issue('b'), issue(), issue()]);
    expect(new Set(ids).size).toBe(4);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    const rows = await registry.run(tenant, (tx) => tx.execute(sql`select id from stage_clearances`));
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(ids));
    await registry.run(tenant, (tx) => deleteVersion(tx, { name: 'm', version: '1', permanently: true }));
    expect(await issue('a')).toBe(ids[0]);
  });
});
