import { isDomainError, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { createModel, findModel, findVersion, getModel, getVersion, registerVersion } from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();
const byHand = (tx: TenantTx, name: string, version: string) =>
  tx.execute(sql`insert into model_registry (name, version) values (${name}, ${version})`);

describe('createModel', () => {
  it('refuses a name that is taken, and no name that only begins like it', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, (tx) => createModel(tx, { name: 'm' }));
    await registry.run(tenant, async (tx) => {
      expect((await refusalOf(createModel(tx, { name: 'm' }))).code).toBe('already_exists');
      await createModel(tx, { name: 'mextra' });
      await createModel(tx, { name: 'mm' });
    });
  });

  it.each([[''], [null], [undefined], ['x'.repeat(257)], ['a\nb']])('refuses the name %j', async (name) => {
    const refusal = await refusalOf(registry.run(freshTenant(), (tx) => createModel(tx, { name: name as string })));
    expect(refusal.code).toBe('invalid_input');
    expect(refusal.details['field']).toBe('name');
  });

  it('stores the tags, the actor and the time of the context', async () => {
    const now = new Date(1_234_000);
    const model = await registry.run(
      freshTenant(),
      (tx) => createModel(tx, { name: 'm', tags: { key: 'value', anotherKey: 'some other value' } }),
      { now, actor: 'ada' },
    );
    expect(model).toEqual({
      id: expect.any(String),
      name: 'm',
      description: null,
      metadata: {},
      tags: { key: 'value', anotherKey: 'some other value' },
      aliases: {},
      actor: 'ada',
      createdAt: now,
      updatedAt: now,
    });
  });

  it('creates one model where two transactions race for the name', async () => {
    const tenant = freshTenant();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => registry.run(tenant, (tx) => createModel(tx, { name: 'm' }))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(isDomainError(outcome.reason, 'already_exists')).toBe(true);
    }
  });
});

describe('registerVersion', () => {
  it('numbers versions from 1 and makes the model on demand', async () => {
    const tenant = freshTenant();
    const versions = await registry.run(tenant, async (tx) => [
      await registerVersion(tx, { name: 'm' }),
      await registerVersion(tx, { name: 'm' }),
      await registerVersion(tx, { name: 'other' }),
    ]);
    expect(versions.map(({ name, version }) => `${name}/${version}`)).toEqual(['m/1', 'm/2', 'other/1']);
    expect((await registry.run(tenant, (tx) => getModel(tx, { name: 'm' }))).id).not.toBeNull();
  });

  it('gives back all that was registered', async () => {
    const tenant = freshTenant();
    const facts = {
      description: 'late arrivals',
      artifactUri: 's3://models/churn.onnx',
      contentDigest: 'sha256:1f',
      artifactBytes: Number.MAX_SAFE_INTEGER,
      flavour: 'onnx',
      inputSignature: { type: 'object', properties: { delay: { type: 'number' } } },
      outputSignature: { type: 'number' },
      metadata: { seed: 7 },
      tags: { team: 'ops', __proto__x: '' },
    };
    const now = new Date('2026-03-01T00:00:00.123Z');
    const made = await registry.run(tenant, (tx) => registerVersion(tx, { name: 'churn', ...facts }), {
      now,
      actor: 'ada',
    });
    expect(made).toMatchObject({
      ...facts,
      name: 'churn',
      version: '1',
      stage: 'development',
      aliases: [],
      actor: 'ada',
      deletedAt: null,
      createdAt: now,
      updatedAt: now,
    });
    expect(await registry.run(tenant, (tx) => getVersion(tx, { name: 'churn', version: '1' }))).toEqual(made);
  });

  it('gives 1 to 100 to a hundred registrations at the same time', async () => {
    const tenant = freshTenant();
    const versions = await Promise.all(
      Array.from({ length: 100 }, () => registry.run(tenant, (tx) => registerVersion(tx, { name: 'm' }))),
    );
    const numbers = versions.map(({ version }) => Number(version)).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it('counts on from versions that were named with a number or inserted by hand', async () => {
    const tenant = freshTenant();
    const versions = await registry.run(tenant, async (tx) => {
      await byHand(tx, 'm', '1');
      await byHand(tx, 'm', '2');
      await byHand(tx, 'm', 'v9');
      const next = [await registerVersion(tx, { name: 'm' })];
      await registerVersion(tx, { name: 'm', version: '10' });
      await registerVersion(tx, { name: 'm', version: '2026-03-01' });
      next.push(await registerVersion(tx, { name: 'm' }));
      return next;
    });
    expect(versions.map(({ version }) => version)).toEqual(['3', '11']);
  });

  it('refuses a given version that is there, and the transaction can go on', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await registerVersion(tx, { name: 'm', version: 'v1' });
      const refusal = await refusalOf(registerVersion(tx, { name: 'm', version: 'v1' }));
      expect(refusal.code).toBe('already_exists');
      expect((await registerVersion(tx, { name: 'm' })).version).toBe('1');
    });
  });

  it('gives the version of the first call again for the same idempotency key', async () => {
    const tenant = freshTenant();
    const register = (description: string) =>
      registry.run(tenant, (tx) => registerVersion(tx, { name: 'm', description, idempotencyKey: 'k' }));
    const versions = await Promise.all([register('a'), register('a'), register('a')]);
    expect(new Set(versions.map(({ id }) => id)).size).toBe(1);
    expect((await refusalOf(register('b'))).code).toBe('conflict');
    expect((await registry.run(tenant, (tx) => registerVersion(tx, { name: 'm' }))).version).toBe('2');
  });

  it.each([['a/b'], ['a@b'], ['a:b'], [''], [' 1'], ['x'.repeat(257)]])('refuses the version %j', async (version) => {
    const refusal = await refusalOf(registry.run(freshTenant(), (tx) => registerVersion(tx, { name: 'm', version })));
    expect([refusal.code, refusal.details['field']]).toEqual(['invalid_input', 'version']);
  });

  it('writes its audit row and its event in the same transaction, or none of the three', async () => {
    const tenant = freshTenant();
    const stop = new Error('stop');
    await registry
      .run(tenant, async (tx) => {
        await registerVersion(tx, { name: 'm' });
        throw stop;
      })
      .catch((error: unknown) => expect(error).toBe(stop));
    const rows = (tx: TenantTx) =>
      tx.execute(sql`
        select (select count(*)::int from model_registry) as versions,
               (select count(*)::int from model_stage_transitions) as transitions,
               (select count(*)::int from outbox_events) as events`);
    expect(await registry.run(tenant, rows)).toMatchObject([{ versions: 0, transitions: 0, events: 0 }]);
    await registry.run(tenant, (tx) => registerVersion(tx, { name: 'm' }));
    expect(await registry.run(tenant, rows)).toMatchObject([{ versions: 1, transitions: 1, events: 1 }]);
  });
});

describe('a version inserted by hand', () => {
  it('needs tenant, name and version alone, and its model is found', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, (tx) => byHand(tx, 'm', 'v1'));
    const version = await registry.run(tenant, (tx) => getVersion(tx, { name: 'm', version: 'v1' }));
    expect(version).toMatchObject({ stage: 'development', metadata: {}, tags: {}, aliases: [] });
    const model = await registry.run(tenant, (tx) => findModel(tx, { name: 'm' }));
    expect(model).toMatchObject({ id: null, name: 'm', tags: {}, createdAt: version.createdAt });
  });
});

describe('what is not there', () => {
  it('is undefined to find and not_found to get', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      expect(await findModel(tx, { name: 'm' })).toBeUndefined();
      expect(await findVersion(tx, { name: 'm', version: '1' })).toBeUndefined();
      expect((await refusalOf(getModel(tx, { name: 'm' }))).code).toBe('not_found');
      expect((await refusalOf(getVersion(tx, { name: 'm', version: '1' }))).code).toBe('not_found');
    });
  });
});
