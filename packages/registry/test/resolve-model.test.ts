import { readOne } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { parseModelReference, registerVersion, resolveModel, setAlias, transitionStage } from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

describe('resolveModel', () => {
  it('finds a version by alias, by version and by stage, each in one statement', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      for (const name of ['churn', 'org/churn:eu']) {
        await registerVersion(tx, { name });
        await registerVersion(tx, { name });
        await registerVersion(tx, { name });
        await setAlias(tx, { name, alias: 'champion', version: '2' });
        await transitionStage(tx, { name, version: '1', stage: 'production' });
      }
    });
    for (const name of ['churn', 'org/churn:eu']) {
      const resolved = (rest: string) => readOne(registry.db, tenant, (tx) => resolveModel(tx, name + rest));
      expect(await resolved('@champion')).toMatchObject({ name, version: '2' });
      expect(await resolved('/3')).toMatchObject({ name, version: '3' });
      expect(await resolved(':production')).toMatchObject({ name, version: '1' });
      expect(await resolved(':PRODUCTION')).toMatchObject({ name, version: '1' });
    }
  });

  it.each(['churn@other', 'churn/9', 'churn:staging', 'other@champion'])('does not find %j', async (reference) => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await registerVersion(tx, { name: 'churn' });
      await setAlias(tx, { name: 'churn', alias: 'champion', version: '1' });
      expect((await refusalOf(resolveModel(tx, reference))).code).toBe('not_found');
    });
  });

  it.each(['', 'churn', 'churn@', '@champion', 'churn:unknown', 'churn/ 1', '/', 'churn/a\nb'])(
    'cannot read %j',
    (reference) => {
      expect(() => parseModelReference(reference)).toThrow(
        expect.objectContaining({ code: 'invalid_input', message: expect.not.stringContaining('churn') }),
      );
    },
  );
});
