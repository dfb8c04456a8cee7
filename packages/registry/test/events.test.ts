import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { deleteModel, deleteVersion, setAlias } from '../src/index.ts';
import { callFunction, functionNames, inputs, makeWorld } from './support/every-function.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

const ofVersion = ['changeNumber', 'fromStage', 'modelId', 'name', 'toStage', 'version'];

/** What is announced, and the facts of each: whoever subscribes builds on these. */
const payloads: Readonly<Record<string, readonly string[]>> = {
  'model.created': ['changeNumber', 'name'],
  'model.deleted': ['changeNumber', 'name'],
  'model.erased': ['changeNumber', 'name'],
  'model.renamed': ['changeNumber', 'fromName', 'toName'],
  'model.restored': ['changeNumber', 'name'],
  'model_alias.moved': ['alias', 'changeNumber', 'fromVersion', 'name', 'toVersion'],
  'model_version.deleted': ofVersion,
  'model_version.erased': ['changeNumber', 'modelId', 'name', 'version'],
  'model_version.redacted': ['changeNumber', 'modelId', 'name', 'version'],
  'model_version.registered': ofVersion,
  'model_version.restored': ofVersion,
  'model_version.stage_changed': [...ofVersion, 'undoes'],
  'stage_guard.removed': ['changeNumber', 'guard', 'name', 'stage'],
  'stage_guard.set': ['changeNumber', 'guard', 'name', 'stage'],
};

/** What each function announces in the world of makeWorld; functions that are not named here announce nothing. */
const announced: Readonly<Record<string, readonly string[]>> = {
  createModel: ['model.created'],
  deleteModel: ['model.deleted', 'model_alias.moved', 'model_version.deleted', 'model_version.deleted'],
  deleteVersion: ['model_alias.moved', 'model_version.deleted'],
  registerVersion: ['model_version.registered'],
  removeAlias: ['model_alias.moved'],
  removeStageGuard: ['stage_guard.removed'],
  renameModel: ['model.renamed'],
  restoreModel: ['model.restored', 'model_version.restored'],
  restoreVersion: ['model_version.restored'],
  rollbackPromotion: ['model_version.stage_changed', 'model_version.stage_changed'],
  setAlias: ['model_alias.moved'],
  setStageGuard: ['stage_guard.set'],
  transitionStage: ['model_version.stage_changed'],
};

interface Recorded extends Record<string, unknown> {
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What `work` announces in a world of its own. Also holds that each event has its row in the history, and each row its event. */
async function announcedBy(work: (tx: TenantTx) => Promise<unknown>): Promise<readonly string[]> {
  return await registry.run(freshTenant(), async (tx) => {
    await makeWorld(tx);
    const [last] = await tx.execute<{ id: string }>(sql`select max(id::text) as id from outbox_events`);
    await work(tx);
    const events = await tx.execute<Recorded>(sql`
      select topic, payload from outbox_events where id > ${last?.id}::uuid order by id`);
    for (const { topic, payload } of events) {
      expect([topic, Object.keys(payload).sort()]).toEqual([topic, [...(payloads[topic] ?? [])].sort()]);
    }
    const unmatched = await tx.execute(sql`
      with told as (
        select coalesce(payload->>'modelId', case when topic not like 'model\_version.%' then subject_id end) as model_id,
               (payload->>'changeNumber')::bigint as change_number
          from outbox_events
      ), written as (
        select model_id::text, change_number from model_stage_transitions
        union all select model_id::text, change_number from model_alias_moves
        union all select model_id::text, change_number from model_renames
        union all select model_id::text, change_number from model_changes
      )
      (select 'without a row', * from (select * from told except all select * from written) t)
      union all
      (select 'without an event', * from (select * from written except all select * from told) w)`);
    expect(unmatched).toEqual([]);
    return events.map(({ topic }) => topic).sort();
  });
}

it.each(functionNames)('%s announces what the table says, each with its row in the history', async (name) => {
  expect(await announcedBy((tx) => callFunction(tx, name, inputs[name]))).toEqual(announced[name] ?? []);
});

const version = { name: 'm', version: '2' };

it.each<[string, (tx: TenantTx) => Promise<unknown>, readonly string[]]>([
  [
    'a version erased',
    (tx) => deleteVersion(tx, { ...version, permanently: true }),
    ['model_alias.moved', 'model_version.deleted', 'model_version.erased'],
  ],
  [
    'a version redacted',
    (tx) => deleteVersion(tx, { ...version, redact: true }),
    ['model_alias.moved', 'model_version.deleted', 'model_version.redacted'],
  ],
  [
    'a deleted version redacted, then erased',
    async (tx) => {
      await deleteVersion(tx, { name: 'm', version: '3', redact: true });
      await deleteVersion(tx, { name: 'm', version: '3', permanently: true });
    },
    ['model_version.erased', 'model_version.redacted'],
  ],
  [
    'a version with two aliases deleted',
    async (tx) => {
      await setAlias(tx, { ...version, alias: 'second' });
      await deleteVersion(tx, version);
    },
    ['model_alias.moved', 'model_alias.moved', 'model_alias.moved', 'model_version.deleted'],
  ],
  [
    'a model erased',
    (tx) => deleteModel(tx, { name: 'm', permanently: true }),
    ['model.erased', 'model_alias.moved', 'model_version.deleted', 'model_version.deleted'],
  ],
  ['a deleted model erased', (tx) => deleteModel(tx, { name: 'gone', permanently: true }), ['model.erased']],
])('%s is announced, each event with its row in the history', async (_, work, topics) => {
  expect(await announcedBy(work)).toEqual(topics);
});

it('what is done already is not announced again', async () => {
  const calls: readonly [string, unknown][] = [
    ['setStageGuard', { name: 'm', stage: 'staging', guard: 'quality' }],
    ['removeStageGuard', { name: 'm', stage: 'staging', guard: 'no such guard' }],
    ['setAlias', { name: 'm', alias: 'champion', version: '2' }],
    ['removeAlias', { name: 'm', alias: 'none' }],
    ['restoreModel', { name: 'm' }],
    ['restoreVersion', { name: 'm', version: '2' }],
    ['transitionStage', { name: 'm', version: '2', stage: 'production' }],
    ['renameModel', { name: 'm', newName: 'm' }],
  ];
  for (const [name, input] of calls) expect(await announcedBy((tx) => callFunction(tx, name, input))).toEqual([]);
});
