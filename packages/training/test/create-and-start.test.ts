import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import { createRun, getRun, startRun } from '../src/index.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

describe('createRun', () => {
  it('gives the run as getRun does', async () => {
    const tenant = freshTenant();
    const facts = {
      name: 'first',
      group: 'churn',
      description: 'd',
      codeVersion: 'abc',
      datasetName: 'flights',
      datasetDigest: 'sha256:1f',
      seed: 7,
      environment: { python: '3.12', gpus: [1, null] },
      params: { lr: '0.1', '': '' },
      tags: { team: 'ops' },
    };
    const { '': _, ...params } = facts.params;
    for (const start of [{}, { start: true }, { start: true, leaseMs: 60_000 }]) {
      const made = await training.run(tenant, (tx) => createRun(tx, { ...facts, params, ...start }), { actor: 'ada' });
      expect(await training.run(tenant, (tx) => getRun(tx, { runId: made.id }))).toEqual(made);
      expect(made.status).toBe('start' in start ? 'running' : 'queued');
      expect(made.fencingToken > 0).toBe('leaseMs' in start);
    }
  });
});

describe('startRun', () => {
  it('takes a queued run under a lease', async () => {
    await training.run(freshTenant(), async (tx) => {
      const { id } = await createRun(tx, { name: 'r' });
      const started = await startRun(tx, { runId: id, leaseMs: 1_000 });
      expect(await getRun(tx, { runId: id })).toMatchObject({
        status: 'running',
        fencingToken: started.fencingToken,
        leasedUntil: started.leasedUntil,
      });
    });
  });
});
