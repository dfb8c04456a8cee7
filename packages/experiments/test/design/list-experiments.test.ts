import { failureOf, freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { listExperimentEvents, listExperiments, setAllocation, transitionExperiment } from '../../src/index.ts';
import { checkout, drafted } from '../support/experiment-inputs.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();

describe('experiments', () => {
  it('are listed by pages, the newest first, without their parts', async () => {
    const tenant = freshTenant();
    for (let n = 0; n < 5; n++) await drafted(experiments, tenant, { key: `e${n}` });
    const keys: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await experiments.run(tenant, (tx) =>
        listExperiments(tx, { limit: 2, ...(cursor === undefined ? {} : { cursor }) }),
      );
      keys.push(...page.items.map(({ key }) => key));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(keys).toEqual(['e4', 'e3', 'e2', 'e1', 'e0']);
    const [item] = (await experiments.run(tenant, (tx) => listExperiments(tx))).items;
    expect(item).toMatchObject({ status: 'draft', seed: 'e4', layerId: null });
    expect(item).not.toHaveProperty('variants');
  });

  it('are found by a filter, as text or as an object', async () => {
    const tenant = freshTenant();
    for (const key of ['search-1', 'search-2', 'mail']) await drafted(experiments, tenant, { key });
    await experiments.run(tenant, (tx) => transitionExperiment(tx, { key: 'search-2', status: 'running' }));
    const found = async (input: Parameters<typeof listExperiments>[1]) =>
      (await experiments.run(tenant, (tx) => listExperiments(tx, input))).items.map(({ key }) => key);
    expect(await found({ filter: "key like 'search%'", orderBy: 'key' })).toEqual(['search-1', 'search-2']);
    expect(await found({ filter: "status = 'running'" })).toEqual(['search-2']);
    expect(await found({ filter: { field: 'started_at', op: 'is not null' } })).toEqual(['search-2']);
    expect(await failureOf(found({ filter: 'nothing = 1' }))).toMatchObject({ code: 'invalid_input' });
  });
});

describe('the history of an experiment', () => {
  it('is listed by pages, the last first', async () => {
    const tenant = freshTenant();
    const { id: experimentId } = await drafted(experiments, tenant);
    for (const coverage of [0.1, 0.2, 0.3]) {
      await experiments.run(tenant, (tx) => setAllocation(tx, { key: checkout.key, coverage }));
    }
    const pages = await experiments.run(tenant, async (tx) => {
      const first = await listExperimentEvents(tx, { experimentId, limit: 3 });
      return [first, await listExperimentEvents(tx, { experimentId, limit: 3, cursor: first.nextCursor ?? '' })];
    });
    expect(pages.map(({ items }) => items.map(({ changeNumber }) => changeNumber))).toEqual([[4, 3, 2], [1]]);
  });
});
