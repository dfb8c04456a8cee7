import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { cancelRun, createRun, finishRun, purgeRuns } from '../src/index.ts';
import { afterLease, callFunction, functionNames, inputsIn, makeWorld, type World } from './support/every-function.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

const ofRun = ['attempt', 'changeNumber', 'group', 'name'];
const ofStatus = [...ofRun, 'fromStatus', 'toStatus'];
const ofModel = [...ofRun, 'modelName', 'modelVersion', 'role', 'versionId'];

const ofStudy = ['changeNumber', 'name'];

/** What is announced, and the facts of each: whoever subscribes builds on these. */
const payloads: Readonly<Record<string, readonly string[]>> = {
  'study.created': ofStudy,
  'study.deleted': ofStudy,
  'study.purged': ofStudy,
  'study.restored': ofStudy,
  'study.resumed': ofStudy,
  'study.stopped': ofStudy,
  'run.cancelled': ofStatus,
  'run.created': ofStatus,
  'run.deleted': ofRun,
  'run.failed': ofStatus,
  'run.model_linked': ofModel,
  'run.model_unlinked': ofModel,
  'run.purged': ofRun,
  'run.renamed': [...ofRun, 'fromName'],
  'run.restored': ofRun,
  'run.retried': ofStatus,
  'run.stale': ofStatus,
  'run.started': ofStatus,
  'run.succeeded': ofStatus,
};

/** What each function announces in the world of makeWorld; functions that are not named here announce nothing. */
const announced: Readonly<Record<string, readonly string[]>> = {
  cancelRun: ['run.cancelled'],
  claimRun: ['run.started'],
  createRun: ['run.created'],
  createStudy: ['study.created'],
  deleteRun: ['run.deleted'],
  deleteStudy: ['study.deleted'],
  finishRun: ['run.succeeded'],
  linkRunModel: ['run.model_linked'],
  restoreRun: ['run.restored'],
  restoreStudy: ['study.restored'],
  resumeStudy: ['study.resumed'],
  retryRun: ['run.retried'],
  startRun: ['run.started'],
  stopStudy: ['study.stopped'],
  sweepStaleRuns: ['run.stale'],
  unlinkRunModel: ['run.model_unlinked'],
  updateRun: ['run.renamed'],
};

interface Recorded extends Record<string, unknown> {
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What is announced after `last`; also holds that each event has its row in the history, and each row its event. */
async function announcedAfter(tx: TenantTx, last: string | undefined): Promise<readonly string[]> {
  const events = await tx.execute<Recorded>(sql`
    select topic, payload from outbox_events
     where topic not like 'model%' and (${last ?? null}::uuid is null or id > ${last ?? null}::uuid)
     order by id`);
  for (const { topic, payload } of events) {
    expect([topic, Object.keys(payload).sort()]).toEqual([topic, [...(payloads[topic] ?? [])].sort()]);
  }
  const unmatched = await tx.execute(sql`
    with told as (
      select subject_id, topic, (payload->>'changeNumber')::bigint as change_number, payload->>'name' as name,
             (payload->>'attempt')::int as attempt, payload->>'fromStatus' as from_status,
             payload->>'toStatus' as to_status, payload->>'modelVersion' as model_version
        from outbox_events where topic not like 'model%'
    ), written as (
      select run_id::text, 'run.' || kind, change_number, name, attempt, from_status, to_status, model_version
        from training_events
      union all
      select study_id::text, 'study.' || kind, change_number, name, null, null, null, null
        from hyperparameter_study_events
    )
    (select 'without a row', * from (select * from told except all select * from written) t)
    union all
    (select 'without an event', * from (select * from written except all select * from told) w)`);
  expect(unmatched).toEqual([]);
  return events.map(({ topic }) => topic);
}

const lastEvent = async (tx: TenantTx) =>
  (await tx.execute<{ id: string }>(sql`select max(id::text) as id from outbox_events`))[0]?.id;

async function announcedBy(work: (tx: TenantTx, world: World) => Promise<unknown>): Promise<readonly string[]> {
  return await training.run(freshTenant(), async (tx) => {
    const world = await makeWorld(tx);
    const last = await lastEvent(tx);
    await work(tx, world);
    return await announcedAfter(tx, last);
  });
}

it.each(functionNames)('%s announces what the table says, each with its row in the history', async (name) => {
  const topics = await announcedBy((tx, world) => callFunction(tx, name, inputsIn(world)[name]));
  expect(topics).toEqual(announced[name] ?? []);
});

it.each<[string, (tx: TenantTx, world: World) => Promise<unknown>, readonly string[]]>([
  [
    'a run that starts at once',
    (tx) => createRun(tx, { name: 'r', start: true, leaseMs: 1_000 }),
    ['run.created', 'run.started'],
  ],
  [
    'a run that failed',
    (tx, { runId, fencingToken }) => finishRun(tx, { runId, fencingToken, status: 'failed' }),
    ['run.failed'],
  ],
  [
    'a run that its worker cancelled',
    (tx, { runId, fencingToken }) => finishRun(tx, { runId, fencingToken, status: 'cancelled' }),
    ['run.cancelled'],
  ],
])('%s is announced, each event with its row in the history', async (_, work, topics) => {
  expect(await announcedBy(work)).toEqual(topics);
});

it('a purge is announced, each event with its row in the history', async () => {
  const tenant = freshTenant();
  const world = await training.run(tenant, makeWorld);
  await training.run(tenant, async (tx) => {
    await callFunction(tx, 'deleteRun', { runId: world.queuedRunId });
  });
  const last = await training.run(tenant, lastEvent);
  await purgeRuns(training.db, tenant, { deletedBefore: afterLease });
  const topics = await training.run(tenant, (tx) => announcedAfter(tx, last));
  expect(topics).toEqual(['run.purged', 'run.purged']);
});

it('what is done already is not announced again', async () => {
  const calls: readonly ((tx: TenantTx, world: World) => Promise<unknown>)[] = [
    (tx, { failedRunId: runId }) => finishRun(tx, { runId, status: 'failed' }),
    (tx, { runId, linkedVersionId: versionId }) => callFunction(tx, 'linkRunModel', { runId, versionId }),
    (tx, { deletedRunId: runId }) => callFunction(tx, 'deleteRun', { runId }),
    (tx, { runId }) => callFunction(tx, 'restoreRun', { runId }),
    (tx, { runId }) => callFunction(tx, 'updateRun', { runId, name: 'r' }),
  ];
  for (const call of calls) expect(await announcedBy(call)).toEqual([]);
});

it('bulk recording and heartbeats leave no event, and no row in the history', async () => {
  await training.run(freshTenant(), async (tx) => {
    const world = await makeWorld(tx);
    const rows = async () => await tx.execute(sql`select count(*) from training_events`);
    const before = [await rows(), await lastEvent(tx)];
    for (const name of ['heartbeatRun', 'logBatch', 'recordArtifacts', 'setRunTag', 'removeRunTag']) {
      await callFunction(tx, name, inputsIn(world)[name]);
    }
    expect([await rows(), await lastEvent(tx)]).toEqual(before);
    await cancelRun(tx, { runId: world.runId });
    expect([await rows(), await lastEvent(tx)]).not.toEqual(before);
  });
});
