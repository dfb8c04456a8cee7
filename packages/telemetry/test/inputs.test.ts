import { type DomainError, withTenant } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { pruneTelemetry } from '../src/index.ts';
import { at, callFunction, functionNames, inputs, makeWorld } from './support/every-function.ts';
import { useTelemetry } from './support/use-telemetry.ts';

const telemetry = useTelemetry();

it('every function that the package exports has an input here', () => {
  expect(Object.keys(inputs).sort()).toEqual(functionNames);
});

it.each(functionNames)(
  '%s takes its input, and refuses what is none and fields that it does not know',
  async (name) => {
    const input = inputs[name] as object;
    await telemetry.run(
      freshTenant(),
      async (tx) => {
        await makeWorld(tx);
        for (const wrong of [null, 7, [], { ...input, typo: 1 }]) {
          expect(((await failureOf(callFunction(tx, name, wrong))) as DomainError).code).toBe('invalid_input');
        }
        await callFunction(tx, name, input);
      },
      { now: at },
    );
  },
);

it('pruneTelemetry refuses what is no input', async () => {
  for (const wrong of [null, 7, { typo: 1 }, { eventsBefore: '2026' }, { batchSize: 0 }]) {
    const work = pruneTelemetry(telemetry.db, freshTenant(), wrong as object);
    expect(((await failureOf(work)) as DomainError).code).toBe('invalid_input');
  }
});

it('getMetric and findMetric tell what setMetric and recording said', async () => {
  await withTenant(
    telemetry.db,
    freshTenant(),
    async (tx) => {
      expect(await callFunction(tx, 'findMetric', { metric: 'latency' })).toBeUndefined();
      const error = (await failureOf(callFunction(tx, 'getMetric', { metric: 'latency' }))) as DomainError;
      expect(error.code).toBe('not_found');
      await callFunction(tx, 'setMetric', { metric: 'latency', labelSetLimit: 2 });
      await makeWorld(tx);
      expect(await callFunction(tx, 'getMetric', { metric: 'latency' })).toMatchObject({
        unit: 'ms',
        labelSetLimit: 2,
        labelSetCount: 1,
      });
      const other = (await failureOf(callFunction(tx, 'setMetric', { metric: 'latency', unit: 's' }))) as DomainError;
      expect(other.code).toBe('conflict');
      expect(await callFunction(tx, 'setMetric', { metric: 'latency' })).toMatchObject({
        unit: 'ms',
        labelSetLimit: 2,
      });
    },
    { now: at },
  );
});

it('listSeries gives pages by subject and metric, narrowed by each of its fields', async () => {
  await telemetry.run(
    freshTenant(),
    async (tx) => {
      await makeWorld(tx);
      const list = async (input: object) =>
        (await callFunction(tx, 'listSeries', input)) as {
          items: { subject: string }[];
          nextCursor: string | undefined;
        };
      const first = await list({ limit: 1 });
      expect(first.items).toMatchObject([{ subject: 'a', metric: 'latency', labels: { region: 'eu' } }]);
      const second = await list({ limit: 1, cursor: first.nextCursor });
      expect(second).toMatchObject({ items: [{ subject: 'b' }], nextCursor: undefined });
      expect((await list({ subject: 'b' })).items).toHaveLength(1);
      expect((await list({ metric: 'none' })).items).toHaveLength(0);
      expect((await list({ labels: { region: 'us' } })).items).toHaveLength(0);
    },
    { now: at },
  );
});
