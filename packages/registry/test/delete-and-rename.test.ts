import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  createModel,
  deleteModel,
  deleteVersion,
  findModel,
  findVersion,
  getModel,
  getVersion,
  listAliasMoves,
  listStageTransitions,
  listVersions,
  registerVersion,
  renameModel,
  resolveModel,
  restoreModel,
  restoreVersion,
  searchModels,
  searchVersions,
  setAlias,
  setModelTag,
  setVersionTag,
  transitionStage,
  updateModel,
  updateVersion,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();
const register = async (tx: TenantTx, count: number, name = 'm') => {
  for (let made = 0; made < count; made += 1) await registerVersion(tx, { name });
};

const tables = ['registered_models', 'model_registry', 'model_tags', 'model_stage_transitions', 'outbox_events'];

describe('deleteVersion', () => {
  it('does not give a number again', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 6);
      await deleteVersion(tx, { name: 'm', version: '3', permanently: true });
      await deleteVersion(tx, { name: 'm', version: '6', permanently: true });
      expect((await registerVersion(tx, { name: 'm' })).version).toBe('7');
    });
  });

  it('does not give a number again that was inserted by hand', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await tx.execute(sql`insert into model_registry (name, version) values ('m', '5')`);
      await deleteVersion(tx, { name: 'm', version: '5', permanently: true });
      expect((await registerVersion(tx, { name: 'm' })).version).toBe('6');
    });
  });

  it.each([false, true])('takes aliases along and leaves the history (permanently: %j)', async (permanently) => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2);
      await setVersionTag(tx, { name: 'm', version: '2', key: 'k', value: 'v' });
      await setAlias(tx, { name: 'm', alias: 'champion', version: '2' });
      const { id: modelId } = await getModel(tx, { name: 'm' });
      await deleteVersion(tx, { name: 'm', version: '2', permanently, reason: 'broken' });

      const subject = { name: 'm', version: '2' };
      expect((await refusalOf(getVersion(tx, subject))).code).toBe('not_found');
      expect((await refusalOf(deleteVersion(tx, subject))).code).toBe('not_found');
      expect((await refusalOf(resolveModel(tx, 'm@champion'))).code).toBe('not_found');
      expect((await refusalOf(resolveModel(tx, 'm/2'))).code).toBe('not_found');
      expect((await refusalOf(setAlias(tx, { ...subject, alias: 'a' }))).code).toBe('not_found');
      expect((await refusalOf(transitionStage(tx, { ...subject, stage: 'staging' }))).code).toBe('not_found');
      expect((await refusalOf(setVersionTag(tx, { ...subject, key: 'k', value: '' }))).code).toBe('not_found');
      expect((await getModel(tx, { name: 'm' })).aliases).toEqual({});

      const transitions = await listStageTransitions(tx, { modelId: modelId ?? undefined, version: '2' });
      expect(transitions.items[0]).toMatchObject({ fromStage: 'development', toStage: null, reason: 'broken' });
      expect((await listAliasMoves(tx, { name: 'm' })).items[0]).toMatchObject({ fromVersion: '2', toVersion: null });
      if (permanently) expect(await tx.execute(sql`select 1 from model_tags`)).toHaveLength(0);
    });
  });

  const secret = 's3://secret/of-acme';
  const facts = {
    name: 'm',
    description: secret,
    artifactUri: secret,
    contentDigest: 'sha256:1f',
    inputSignature: { title: secret },
    metadata: { secret },
    tags: { secret },
  };

  it('keeps what a deleted version was for restoreVersion, and no other function gives it', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await registerVersion(tx, facts);
      const version = { name: 'm', version: '1' };
      await deleteVersion(tx, version);
      const given = [
        await findVersion(tx, version),
        await listVersions(tx, { name: 'm' }),
        await searchVersions(tx, { filter: `artifact_uri = '${secret}'` }),
        await listStageTransitions(tx, { name: 'm' }),
        await tx.execute(sql`select payload from outbox_events`),
      ];
      expect(JSON.stringify(given)).not.toContain(secret);
      expect((await refusalOf(updateVersion(tx, { ...version, description: 'd' }))).code).toBe('not_found');
      expect((await refusalOf(registerVersion(tx, version))).code).toBe('already_exists');
      expect((await restoreVersion(tx, version)).artifactUri).toBe(secret);
    });
  });

  it.each([false, true])('empties the row that stays when asked to redact it (deleted before: %j)', async (before) => {
    await registry.run(freshTenant(), async (tx) => {
      const { id } = await registerVersion(tx, { ...facts, idempotencyKey: 'once' });
      const version = { name: 'm', version: '1' };
      if (before) await deleteVersion(tx, version);
      await deleteVersion(tx, { ...version, redact: true });
      for (const table of [...tables, 'idempotency_keys']) {
        const rows = await tx.execute(sql`select to_json(t)::text as row from ${sql.identifier(table)} t`);
        expect(JSON.stringify(rows)).not.toContain(secret);
      }
      expect((await refusalOf(getVersion(tx, version))).code).toBe('not_found');
      // The row stays for whatever refers to it, and says what the artifact was.
      expect(await restoreVersion(tx, version)).toMatchObject({
        id,
        contentDigest: 'sha256:1f',
        artifactUri: null,
        metadata: {},
        tags: {},
      });
    });
  });

  it('can be taken back while the row is there; what served comes back archived', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2);
      await setVersionTag(tx, { name: 'm', version: '1', key: 'k', value: 'v' });
      await transitionStage(tx, { name: 'm', version: '1', stage: 'production' });
      await deleteVersion(tx, { name: 'm', version: '1' });
      expect(await restoreVersion(tx, { name: 'm', version: '1' })).toMatchObject({
        stage: 'archived',
        deletedAt: null,
        tags: { k: 'v' },
      });
      await deleteVersion(tx, { name: 'm', version: '2', permanently: true });
      expect((await refusalOf(restoreVersion(tx, { name: 'm', version: '2' }))).code).toBe('not_found');
    });
  });
});

describe('deleteModel', () => {
  it('permanently: model, versions, aliases and tags are gone, the history stays, the name is free', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2);
      await setModelTag(tx, { name: 'm', key: 'k', value: 'v' });
      await setVersionTag(tx, { name: 'm', version: '1', key: 'k', value: 'v' });
      await setAlias(tx, { name: 'm', alias: 'champion', version: '1' });
      const { id } = await getModel(tx, { name: 'm' });
      await deleteModel(tx, { name: 'm', permanently: true });

      const calls: readonly (() => Promise<unknown>)[] = [
        () => getModel(tx, { name: 'm' }),
        () => updateModel(tx, { name: 'm', description: '' }),
        () => deleteModel(tx, { name: 'm' }),
        () => restoreModel(tx, { name: 'm' }),
        () => getVersion(tx, { name: 'm', version: '1' }),
        () => resolveModel(tx, 'm@champion'),
      ];
      for (const call of calls) expect((await refusalOf(call())).code).toBe('not_found');
      for (const table of ['registered_models', 'model_registry', 'model_aliases', 'model_tags']) {
        expect(await tx.execute(sql`select 1 from ${sql.identifier(table)}`)).toHaveLength(0);
      }
      const modelId = String(id);
      expect((await listAliasMoves(tx, { modelId })).items.map(({ toVersion }) => toVersion)).toEqual([null, '1']);
      expect((await listStageTransitions(tx, { modelId })).items).toHaveLength(4);

      expect((await registerVersion(tx, { name: 'm' })).version).toBe('1');
      expect((await listStageTransitions(tx, { name: 'm' })).items).toHaveLength(1);
    });
  });

  it('keeps the name and the rows, so that it can be taken back', async () => {
    const tenant = freshTenant();
    const at = (second: number) => ({ now: new Date(Date.now() + second * 1_000) });
    await registry.run(tenant, async (tx) => {
      await register(tx, 3);
      await transitionStage(tx, { name: 'm', version: '1', stage: 'production' });
      await setAlias(tx, { name: 'm', alias: 'champion', version: '1' });
      await setModelTag(tx, { name: 'm', key: 'k', value: 'v' });
    });
    await registry.run(tenant, (tx) => deleteVersion(tx, { name: 'm', version: '3' }), at(1));
    await registry.run(tenant, (tx) => deleteModel(tx, { name: 'm' }), at(2));
    await registry.run(tenant, async (tx) => {
      expect(await findModel(tx, { name: 'm' })).toBeUndefined();
      expect((await refusalOf(resolveModel(tx, 'm/1'))).code).toBe('not_found');
      expect((await refusalOf(createModel(tx, { name: 'm' }))).code).toBe('already_exists');
      expect((await refusalOf(registerVersion(tx, { name: 'm' }))).code).toBe('failed_precondition');
      expect((await searchModels(tx)).items).toEqual([]);

      expect(await restoreModel(tx, { name: 'm' })).toMatchObject({ tags: { k: 'v' }, aliases: {} });
      expect((await searchModels(tx, { filter: "tags.k = 'v'" })).items).toMatchObject([{ name: 'm' }]);
      const { items } = await listVersions(tx, { name: 'm' });
      expect(items.map(({ version, stage }) => [version, stage])).toEqual([
        ['2', 'development'],
        ['1', 'archived'],
      ]);
      expect((await registerVersion(tx, { name: 'm' })).version).toBe('4');
    });
  });
});

describe('restoreModel', () => {
  it('brings back the versions that were deleted with the model, and none that were deleted at the same moment', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2);
      await deleteVersion(tx, { name: 'm', version: '2' });
      await deleteModel(tx, { name: 'm' });
      await restoreModel(tx, { name: 'm' });
      expect((await listVersions(tx, { name: 'm' })).items.map(({ version }) => version)).toEqual(['1']);
    });
  });
});

describe('a model whose versions were inserted by hand, and that two transactions need the row of', () => {
  /** Runs `first`, lets `second` run into its lock, and commits. */
  async function race<Result>(
    first: (tx: TenantTx) => Promise<unknown>,
    second: (tx: TenantTx) => Promise<Result>,
  ): Promise<readonly [string, PromiseSettledResult<Result>]> {
    const tenant = freshTenant();
    await registry.run(tenant, (tx) => tx.execute(sql`insert into model_registry (name, version) values ('m', 'v1')`));
    let later: Promise<PromiseSettledResult<Result>> | undefined;
    await registry.run(tenant, async (tx) => {
      await first(tx);
      later = Promise.allSettled([registry.run(tenant, second)]).then(([outcome]) => outcome);
      const waiting = sql`select 1 from pg_locks join pg_stat_activity using (pid)
                           where not granted and datname = current_database()`;
      while ((await tx.execute(waiting)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    if (later === undefined) throw new Error('The second has not begun.');
    return [tenant, await later];
  }

  it('is deleted by one and then, permanently, by the other', async () => {
    const [tenant, outcome] = await race(
      (tx) => deleteModel(tx, { name: 'm' }),
      (tx) => deleteModel(tx, { name: 'm', permanently: true }),
    );
    expect(outcome.status).toBe('fulfilled');
    await registry.run(tenant, async (tx) => {
      expect(await tx.execute(sql`select 1 from registered_models`)).toHaveLength(0);
    });
  });

  it('is not made again under the name that the other took from it', async () => {
    const [tenant, outcome] = await race(
      (tx) => renameModel(tx, { name: 'm', newName: 'n' }),
      (tx) => updateModel(tx, { name: 'm', description: 'd' }),
    );
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } });
    await registry.run(tenant, async (tx) => {
      expect((await searchModels(tx)).items).toMatchObject([{ name: 'n', description: null }]);
      expect(await findModel(tx, { name: 'm' })).toBeUndefined();
    });
  });
});

describe('updateModel and updateVersion', () => {
  it('change what is given and leave the rest', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await registerVersion(tx, { name: 'm', description: 'a', artifactUri: 's3://a', metadata: { seed: 7 } });
      const version = { name: 'm', version: '1' };
      expect(await updateVersion(tx, { ...version, artifactUri: 's3://b' })).toMatchObject({
        description: 'a',
        artifactUri: 's3://b',
        metadata: { seed: 7 },
      });
      expect(await updateVersion(tx, { ...version, description: null })).toMatchObject({ description: null });
      expect(await updateVersion(tx, version)).toMatchObject({ artifactUri: 's3://b' });
      expect(await updateModel(tx, { name: 'm', description: 'd' })).toMatchObject({ description: 'd', metadata: {} });
      expect(await updateModel(tx, { name: 'm', metadata: { k: 1 } })).toMatchObject({ description: 'd' });
    });
  });

  it('describe a model whose versions were inserted by hand', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await tx.execute(sql`insert into model_registry (name, version) values ('m', 'v1')`);
      expect(await updateModel(tx, { name: 'm', description: 'd' })).toMatchObject({ description: 'd' });
    });
  });
});

describe('renameModel', () => {
  it('takes versions, aliases, tags and the history along and frees the old name', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 2, 'original name');
      await setAlias(tx, { name: 'original name', alias: 'champion', version: '1' });
      await setModelTag(tx, { name: 'original name', key: 'k', value: 'v' });
      await setVersionTag(tx, { name: 'original name', version: '1', key: 'k', value: 'v1' });
      const renamed = await renameModel(tx, { name: 'original name', newName: 'new name' });
      expect(renamed).toMatchObject({ name: 'new name', tags: { k: 'v' }, aliases: { champion: '1' } });
      expect((await getVersion(tx, { name: 'new name', version: '1' })).tags).toEqual({ k: 'v1' });
      expect((await resolveModel(tx, 'new name@champion')).version).toBe('1');
      expect((await listAliasMoves(tx, { name: 'new name' })).items).toHaveLength(1);
      expect(await findModel(tx, { name: 'original name' })).toBeUndefined();
      expect((await registerVersion(tx, { name: 'new name' })).version).toBe('3');
      expect((await registerVersion(tx, { name: 'original name' })).version).toBe('1');
      expect((await listAliasMoves(tx, { name: 'original name' })).items).toEqual([]);
    });
  });

  it('refuses a name that is taken, changes nothing, and the transaction can go on', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await register(tx, 1, 'a');
      await createModel(tx, { name: 'b' });
      await tx.execute(sql`insert into model_registry (name, version) values ('by hand', 'v1')`);
      for (const newName of ['b', 'by hand']) {
        expect((await refusalOf(renameModel(tx, { name: 'a', newName }))).code).toBe('already_exists');
      }
      expect((await getVersion(tx, { name: 'a', version: '1' })).name).toBe('a');
      expect(await tx.execute(sql`select 1 from model_renames`)).toHaveLength(0);
    });
  });

  it('lets one of two renames to one name win', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await register(tx, 1, 'a');
      await register(tx, 1, 'b');
    });
    const outcomes = await Promise.allSettled(
      ['a', 'b'].map((name) => registry.run(tenant, (tx) => renameModel(tx, { name, newName: 'c' }))),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
