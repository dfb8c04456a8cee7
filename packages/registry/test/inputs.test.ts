import { freshTenant } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { callFunction, functionNames, inputs, makeWorld } from './support/every-function.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

it('every function that the package exports has an input here', () => {
  expect(Object.keys(inputs).sort()).toEqual(functionNames);
});

it.each(functionNames)(
  '%s takes its input, and refuses what is none and fields that it does not know',
  async (name) => {
    const input = inputs[name];
    await registry.run(freshTenant(), async (tx) => {
      await makeWorld(tx);
      const misspelt = typeof input === 'object' ? [{ ...input, typo: 1 }] : ['no reference'];
      for (const wrong of [null, 7, [], ...misspelt]) {
        expect((await refusalOf(callFunction(tx, name, wrong))).code).toBe('invalid_input');
      }
      await callFunction(tx, name, input);
    });
  },
);

it.each(['searchModels', 'searchVersions'])(
  '%s refuses a filter, an order, a limit or a cursor of another type',
  async (name) => {
    await registry.run(freshTenant(), async (tx) => {
      for (const wrong of [
        { filter: null },
        { filter: 7 },
        { filtre: "name = 'm'" },
        { orderBy: null },
        { limit: '1' },
        { limit: 0 },
        { limit: 1.5 },
        { cursor: 7 },
        { cursor: null },
      ]) {
        expect((await refusalOf(callFunction(tx, name, wrong))).code).toBe('invalid_input');
      }
      expect(await callFunction(tx, name, undefined)).toEqual({ items: [], nextCursor: undefined });
    });
  },
);
