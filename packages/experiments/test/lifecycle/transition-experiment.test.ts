import type { DomainError } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { barrier, failureOf, freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  createLayer,
  deleteExperiment,
  type ExperimentStatus,
  experimentMoves,
  experimentStatuses,
  findExperiment,
  getExperiment,
  getLayer,
  setAllocation,
  transitionExperiment,
} from '../../src/index.ts';
import { announcedOf, checkout, drafted, historyOf } from '../support/experiment-inputs.ts';
import { somebodyWaits } from '../support/somebody-waits.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const key = checkout.key;

const move = (tenant: string, status: ExperimentStatus, more = {}, options = {}) =>
  experiments.run(tenant, (tx) => transitionExperiment(tx, { key, status, ...more }), options);

/** The way to each status. */
const ways: Readonly<Record<ExperimentStatus, readonly ExperimentStatus[]>> = {
  draft: [],
  running: ['running'],
  paused: ['running', 'paused'],
  stopped: ['running', 'stopped'],
  archived: ['running', 'stopped', 'archived'],
};

describe('an experiment', () => {
  it('leaves a row in its history and an event in the outbox with each change, in one order', async () => {
    const tenant = freshTenant();
    const options = { actor: 'ada', now: new Date('2026-05-04T10:00:00Z') };
    const { id } = await drafted(experiments, tenant);
    await move(tenant, 'running', { reason: 'go' }, options);
    await move(tenant, 'paused');
    await move(tenant, 'running');
    await experiments.run(tenant, (tx) => setAllocation(tx, { key, coverage: 0.5 }));
    await move(tenant, 'stopped', {}, { now: new Date('2026-05-20Z') });
    await move(tenant, 'archived');
    expect(await experiments.run(tenant, (tx) => getExperiment(tx, { key }))).toMatchObject({
      ...{ status: 'archived', startedAt: options.now, stoppedAt: new Date('2026-05-20Z') },
    });
    expect(await experiments.run(tenant, (tx) => deleteExperiment(tx, { key }))).toBe(id);
    const history = await historyOf(experiments, tenant, id);
    expect(history.map(({ kind, fromStatus, toStatus }) => [kind, fromStatus, toStatus])).toEqual([
      ['created', null, 'draft'],
      ['started', 'draft', 'running'],
      ['paused', 'running', 'paused'],
      ['resumed', 'paused', 'running'],
      ['reallocated', 'running', 'running'],
      ['stopped', 'running', 'stopped'],
      ['archived', 'stopped', 'archived'],
      ['deleted', 'archived', null],
    ]);
    expect(history.map(({ changeNumber }) => changeNumber)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(history[1]).toMatchObject({
      ...{ actor: 'ada', reason: 'go', experimentKey: key, occurredAt: options.now },
    });
    const announced = await announcedOf(experiments, tenant);
    expect(announced.map(({ topic, subject_id, payload }) => [topic, subject_id, payload['changeNumber']])).toEqual(
      history.map(({ kind, changeNumber }) => [`experiment.${kind}`, id, changeNumber]),
    );
    expect(await experiments.run(tenant, (tx) => findExperiment(tx, { key }))).toBeUndefined();
  });

  it('goes where the table of legal moves says, and nowhere else', async () => {
    for (const from of experimentStatuses) {
      const tenant = freshTenant();
      await drafted(experiments, tenant);
      for (const step of ways[from]) await move(tenant, step);
      for (const to of experimentStatuses) {
        const legal = to === from || experimentMoves[from][to] !== undefined;
        const tried = experiments.run(tenant, (tx) =>
          tx.transaction(async (savepoint) => {
            await transitionExperiment(savepoint, { key, status: to });
            throw new Error('undo');
          }),
        );
        const failure = (await failureOf(tried)) as Error;
        if (legal) expect([from, to, failure.message]).toEqual([from, to, 'undo']);
        else expect(failure).toMatchObject({ code: 'failed_precondition', details: { from, to } });
      }
    }
  });

  it('that is in the status already stays so without an entry', async () => {
    const tenant = freshTenant();
    const { id } = await drafted(experiments, tenant);
    await move(tenant, 'running');
    expect(await move(tenant, 'running')).toMatchObject({ changeNumber: undefined, status: 'running' });
    expect(await historyOf(experiments, tenant, id)).toHaveLength(2);
  });

  it('is moved once where two ask for it from the same status', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant);
    await move(tenant, 'running');
    const results = await Promise.allSettled(
      (['paused', 'stopped'] as const).map((status) => move(tenant, status, { expectedStatus: 'running' })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason as DomainError).toMatchObject({ code: 'conflict' });
  });

  it('is not deleted while it runs, is paused or has only stopped', async () => {
    for (const status of ['running', 'paused', 'stopped'] as const) {
      const tenant = freshTenant();
      await drafted(experiments, tenant);
      for (const step of ways[status]) await move(tenant, step);
      expect(await failureOf(experiments.run(tenant, (tx) => deleteExperiment(tx, { key })))).toMatchObject({
        ...{ code: 'failed_precondition', details: { status, legal: ['draft', 'archived'] } },
      });
    }
  });
});

describe('a draft starts only', () => {
  it('with a primary metric', async () => {
    const tenant = freshTenant();
    await drafted(experiments, tenant, { metrics: [{ key: 'bought', role: 'secondary', kind: 'mean' }] });
    expect(await failureOf(move(tenant, 'running'))).toMatchObject({
      ...{ code: 'failed_precondition', details: { field: 'metrics' } },
    });
  });

  it('with model versions that are not deleted', async () => {
    const tenant = freshTenant();
    const { id } = await experiments.run(tenant, (tx) => registerVersion(tx, { name: 'form' }));
    await drafted(experiments, tenant, { variants: [{ key: 'a' }, { key: 'b', modelVersionId: id }] });
    await experiments.run(tenant, (tx) => deleteVersion(tx, { name: 'form', version: '1' }));
    expect(await failureOf(move(tenant, 'running'))).toMatchObject({
      ...{ code: 'failed_precondition', details: { field: 'variants' } },
    });
  });
});

describe('experiments of one layer', () => {
  const inLayer = (name: string, start: number, end: number) => ({ key: name, layer: { key: 'search', start, end } });
  const start = (tenant: string, name: string) =>
    experiments.run(tenant, (tx) => transitionExperiment(tx, { key: name, status: 'running' }));

  it('take ranges that do not overlap: the second to start is refused until the first has stopped', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => createLayer(tx, { key: 'search' }));
    await drafted(experiments, tenant, inLayer('a', 0, 0.5));
    await drafted(experiments, tenant, inLayer('b', 0.4, 0.6));
    await drafted(experiments, tenant, inLayer('c', 0.5, 1));
    await start(tenant, 'a');
    await start(tenant, 'c');
    const refused = { code: 'conflict', details: { field: 'layer' } };
    expect(await failureOf(start(tenant, 'b'))).toMatchObject(refused);
    const layer = await experiments.run(tenant, (tx) => getLayer(tx, { key: 'search' }));
    expect(layer.taken).toMatchObject([
      { experimentKey: 'a', start: 0, end: 0.5 },
      { experimentKey: 'c', start: 0.5, end: 1 },
    ]);
    expect(layer.free).toEqual([]);
    for (const name of ['a', 'c']) {
      await experiments.run(tenant, (tx) => transitionExperiment(tx, { key: name, status: 'paused' }));
      expect(await failureOf(start(tenant, 'b'))).toMatchObject(refused);
      await experiments.run(tenant, (tx) => transitionExperiment(tx, { key: name, status: 'stopped' }));
    }
    expect((await start(tenant, 'b')).status).toBe('running');
    expect((await experiments.run(tenant, (tx) => getLayer(tx, { key: 'search' }))).free).toEqual([
      { start: 0, end: 0.4 },
      { start: 0.6, end: 1 },
    ]);
  });

  it('of which two start at the same time: one waits for the other, then is refused', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => createLayer(tx, { key: 'search' }));
    await drafted(experiments, tenant, inLayer('a', 0, 0.5));
    await drafted(experiments, tenant, inLayer('b', 0.4, 0.6));
    const started = barrier();
    const first = experiments.run(tenant, async (tx) => {
      await transitionExperiment(tx, { key: 'a', status: 'running' });
      started.open();
      await somebodyWaits(tx);
    });
    await started.passed;
    const second = failureOf(start(tenant, 'b'));
    await first;
    expect(await second).toMatchObject({ code: 'conflict', details: { field: 'layer' } });
  });

  it('and many that start at once: those that run in the end share no place', async () => {
    const tenant = freshTenant();
    await experiments.run(tenant, (tx) => createLayer(tx, { key: 'search' }));
    const names = Array.from({ length: 8 }, (_, n) => `e${n}`);
    for (const [n, name] of names.entries()) await drafted(experiments, tenant, inLayer(name, n / 10, n / 10 + 0.25));
    await Promise.allSettled(names.map((name) => start(tenant, name)));
    const { taken } = await experiments.run(tenant, (tx) => getLayer(tx, { key: 'search' }));
    expect(taken.length).toBeGreaterThan(1);
    taken.slice(1).forEach((range, at) => expect(range.start).toBeGreaterThanOrEqual(taken[at]?.end ?? 1));
  });
});
