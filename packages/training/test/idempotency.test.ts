import { barrier, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { createRun, deleteRun, getRun, purgeRuns, updateRun } from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

describe('createRun, called again with its idempotency key,', () => {
  const facts = {
    name: 'r',
    group: 'g',
    seed: 7,
    environment: { python: '3.12' },
    params: { lr: '0.1', depth: '3' },
    tags: { team: 'ops' },
    start: true,
    leaseMs: 60_000,
    idempotencyKey: 'once',
  };

  it('gives the same run, with the token of its lease, however it has changed since', async () => {
    const tenant = freshTenant();
    const create = () => training.run(tenant, (tx) => createRun(tx, facts), { actor: 'ada' });
    const first = await create();
    const runId = first.id;
    expect(await training.run(tenant, (tx) => getRun(tx, { runId }))).toEqual(first);
    await training.run(tenant, (tx) => updateRun(tx, { runId, name: 'other', environment: {} }));
    expect(await create()).toEqual(first);
    await training.run(tenant, (tx) => deleteRun(tx, { runId }));
    expect(await create()).toEqual(first);
    await purgeRuns(training.db, tenant, { deletedBefore: new Date('2100-01-01') });
    expect(await create()).toEqual(first);
    const rows = await training.run(tenant, (tx) => tx.execute(sql`select kind from training_events order by kind`));
    expect(rows.map(({ kind }) => kind)).toEqual(['created', 'deleted', 'purged', 'renamed', 'started']);
  });

  it('is refused with another body', async () => {
    const tenant = freshTenant();
    await training.run(tenant, (tx) => createRun(tx, facts));
    const others = [{ name: 'other' }, { seed: 8 }, { params: { lr: '0.2' } }, { start: false, leaseMs: undefined }];
    for (const other of others) {
      const refused = await refusalOf(training.run(tenant, (tx) => createRun(tx, { ...facts, ...other })));
      expect(refused).toMatchObject({ code: 'conflict', details: { reason: 'idempotency_key_reused' } });
    }
    // The order in which a client happens to write its params does not count.
    await training.run(tenant, (tx) => createRun(tx, { ...facts, params: { depth: '3', lr: '0.1' } }));
    expect(await training.run(tenant, (tx) => tx.execute(sql`select 1 from training_runs`))).toHaveLength(1);
  });

  it('waits for the first call, and makes the run where that rolled back', async () => {
    const tenant = freshTenant();
    const isOpen = barrier();
    const undo = new Error('undo');
    const first = training.run(tenant, async (tx) => {
      await createRun(tx, facts);
      isOpen.open();
      const waiting = sql`select 1 from pg_locks join pg_stat_activity using (pid)
                           where not granted and datname = current_database()`;
      while ((await tx.execute(waiting)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      throw undo;
    });
    await isOpen.passed;
    const second = training.run(tenant, (tx) => createRun(tx, facts));
    await expect(first).rejects.toBe(undo);
    const { id } = await second;
    const rows = await training.run(tenant, (tx) => tx.execute(sql`select id from training_runs`));
    expect(rows).toEqual([{ id }]);
  });
});

describe('createRun', () => {
  it('takes a parent that is there, and says where it is not', async () => {
    const tenant = freshTenant();
    await training.run(tenant, async (tx) => {
      const parent = await createRun(tx, { name: 'parent' });
      const child = await createRun(tx, { name: 'child', parentRunId: parent.id });
      expect(await getRun(tx, { runId: child.id })).toMatchObject({ parentRunId: parent.id });
      const missing = createRun(tx, { name: 'child', parentRunId: '01890000-0000-7000-8000-000000000000' });
      expect((await refusalOf(missing)).code).toBe('not_found');
    });
  });

  it('refuses what is outside the limits, naming them', async () => {
    await training.run(freshTenant(), async (tx) => {
      const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, '']));
      const bad: readonly Parameters<typeof createRun>[1][] = [
        { name: '' },
        { name: 'x'.repeat(257) },
        { name: 'a\nb' },
        { name: 'r', params: { '': 'x' } },
        { name: 'r', params: { p: 'x'.repeat(6_001) } },
        { name: 'r', tags: { t: 'x'.repeat(8_001) } },
        { name: 'r', params: many },
        { name: 'r', environment: { loss: Number.NaN } },
        { name: 'r', environment: { text: 'x'.repeat(100_000) } },
        { name: 'r', seed: 0.5 },
        { name: 'r', leaseMs: 60_000 },
        { name: 'r', start: true, leaseMs: 99 },
        { name: 'r', start: true, leaseMs: 86_400_001 },
      ];
      for (const input of bad) expect((await refusalOf(createRun(tx, input))).code).toBe('invalid_input');
      expect((await refusalOf(createRun(tx, { name: 'r', params: many }))).message).toContain('1000');
      expect(await tx.execute(sql`select 1 from training_runs`)).toEqual([]);
    });
  });
});
