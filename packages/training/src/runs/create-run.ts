import {
  type Id,
  jsonParameter,
  nameInput,
  newId,
  oncePerKey,
  parseInput,
  scheduleWork,
  type TenantTx,
  tenantOf,
  textArray,
  toId,
} from '@mcp-hub/db-core';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  descriptionText,
  groupName,
  idempotencyKey,
  jsonObject,
  leaseMs,
  pairs,
  paramValue,
  runId,
  runName,
  tagValue,
} from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { type JsonObject, trainingParams, trainingRuns, trainingTags } from '../schema.ts';
import { leaseEnd } from './change-run.ts';
import { requireLive } from './lock-run.ts';
import { type RunEvent, recordRunEvents } from './record-run-event.ts';
import type { Run } from './runs.ts';
import { STALE_RUNS_KIND } from './stale-runs-kind.ts';

/** What describes a run; updateRun takes the same. */
export const runFacts = {
  description: descriptionText.nullish(),
  codeVersion: nameInput(TRAINING_LIMITS.codeVersionLength).nullish(),
  datasetName: nameInput(TRAINING_LIMITS.datasetLength).nullish(),
  datasetDigest: nameInput(TRAINING_LIMITS.datasetLength).nullish(),
  seed: z.int().nullish(),
  /** Libraries, hardware, command line. JSON. */
  environment: jsonObject.optional(),
};

export const CreateRunInput = z
  .strictObject({
    name: runName,
    /** What MLflow calls an experiment. Default `default`. */
    group: groupName.optional(),
    ...runFacts,
    params: pairs(paramValue).optional(),
    tags: pairs(tagValue).optional(),
    parentRunId: runId.nullish(),
    /** Whether the run starts at once. Default false: it is queued. */
    start: z.boolean().optional(),
    /** With start: takes it under a lease, so that it becomes stale where its worker sends no heartbeat for so long. */
    leaseMs: leaseMs.optional(),
    /** One for each run that the client wants: a repeated call with it gives the result of the first, whatever has
     * befallen the run since. */
    idempotencyKey,
  })
  .refine((input) => input.leaseMs === undefined || input.start === true, {
    path: ['leaseMs'],
    error: 'may be given only with start: true',
  });
export type CreateRunInput = Readonly<z.input<typeof CreateRunInput>>;

type Given = Omit<z.output<typeof CreateRunInput>, 'idempotencyKey'>;

/**
 * Creates a run, queued or started at once, and gives it as getRun does: with `leaseMs`, its `fencingToken` is the token
 * of its lease.
 *
 * One round trip, two with a parent; no lock but the new row, and the parent's against being deleted for good. Announces
 * `run.created`, then `run.started` where it is.
 *
 * @throws DomainError `not_found` without the parent, `failed_precondition` where that is deleted; `conflict` where the
 *   idempotency key came with other input before.
 */
export async function createRun(tx: TenantTx, input: CreateRunInput): Promise<Run> {
  const { idempotencyKey: key, ...given } = parseInput(CreateRunInput, input);
  const made = await oncePerKey(tx, { scope: 'training.createRun', key, request: given }, () => insertRun(tx, given));
  return asCreated(tx, given, made);
}

/** What the database chose. Stored for a repeated call, which brings the rest itself. */
interface Made {
  readonly id: string;
  readonly actor: string | null;
  readonly createdMs: number;
  readonly fencingToken: number;
  readonly leasedMs: number | null;
}

async function insertRun(tx: TenantTx, given: Given): Promise<Made> {
  if (given.parentRunId != null) await holdParent(tx, given.parentRunId);
  const id = newId<'Run'>();
  const { name, group = 'default', start = false } = given;
  const event = { runId: id, name, group, attempt: 1 };
  const events: RunEvent[] = [{ ...event, changeNumber: 1, kind: 'created', fromStatus: null, toStatus: 'queued' }];
  if (start) events.push({ ...event, changeNumber: 2, kind: 'started', fromStatus: 'queued', toStatus: 'running' });
  const lease = given.leaseMs === undefined ? sql`null::timestamptz` : leaseEnd(given.leaseMs);
  const [[made]] = await Promise.all([
    tx.execute<MadeRow>(sql`
      with run as (
        insert into ${trainingRuns}
               (tenant_id, id, name, group_name, status, description, code_version, dataset_name, dataset_digest, seed,
                environment, parent_run_id, leased_until, fencing_token, last_change_number, started_at)
        values (${tenantOf(tx)}, ${id}, ${name}, ${group}, ${start ? 'running' : 'queued'}, ${given.description ?? null},
                ${given.codeVersion ?? null}, ${given.datasetName ?? null}, ${given.datasetDigest ?? null},
                ${given.seed ?? null}::bigint, ${jsonParameter(given.environment ?? {})},
                ${given.parentRunId ?? null}::uuid, ${lease},
                ${given.leaseMs === undefined ? sql`0` : sql`(extract(epoch from clock_timestamp()) * 1000000)::bigint`},
                ${events.length}, ${start ? sql`app_now()` : sql`null::timestamptz`})
        returning id, actor, created_at, fencing_token, leased_until
      ), param as (${insertPairs(tx, trainingParams, given.params)}), tag as (${insertPairs(tx, trainingTags, given.tags)})
      select actor, (extract(epoch from created_at) * 1000)::float8 as created_ms, fencing_token::float8,
             (extract(epoch from leased_until) * 1000)::float8 as leased_ms
        from run`),
    recordRunEvents(tx, events),
    ...(given.leaseMs === undefined ? [] : [scheduleWork(tx, { kind: STALE_RUNS_KIND, dueAt: lease })]),
  ]);
  if (made === undefined) throw new Error('INSERT … RETURNING gave no row.');
  return {
    id,
    actor: made.actor,
    createdMs: made.created_ms,
    fencingToken: made.fencing_token,
    leasedMs: made.leased_ms,
  };
}

interface MadeRow extends Record<string, unknown> {
  readonly actor: string | null;
  readonly created_ms: number;
  readonly fencing_token: number;
  readonly leased_ms: number | null;
}

/** KEY SHARE, as the foreign key takes it anyway: the parent's own worker goes on. */
async function holdParent(tx: TenantTx, parentRunId: string): Promise<void> {
  const [parent] = await tx
    .select({ deletedAt: trainingRuns.deletedAt })
    .from(trainingRuns)
    .where(and(eq(trainingRuns.tenantId, tenantOf(tx)), eq(trainingRuns.id, parentRunId as Id<'Run'>)))
    .for('key share');
  requireLive(parent);
}

/** The insert of the params or tags of the row in the CTE `run`. */
const insertPairs = (
  tx: TenantTx,
  table: typeof trainingParams | typeof trainingTags,
  given: Readonly<Record<string, string>> = {},
): SQL => sql`
  insert into ${table} (tenant_id, run_id, key, value)
  select ${tenantOf(tx)}, run.id, pair.key, pair.value
    from run, unnest(${textArray(Object.keys(given))}, ${textArray(Object.values(given))}) as pair (key, value)`;

/** The run as getRun gives it in the moment of its creation. */
function asCreated(tx: TenantTx, given: Given, made: Made): Run {
  const at = new Date(made.createdMs);
  const { start = false } = given;
  return {
    tenantId: tenantOf(tx),
    id: toId(made.id, 'id'),
    name: given.name,
    group: given.group ?? 'default',
    status: start ? 'running' : 'queued',
    description: given.description ?? null,
    codeVersion: given.codeVersion ?? null,
    datasetName: given.datasetName ?? null,
    datasetDigest: given.datasetDigest ?? null,
    seed: given.seed ?? null,
    environment: fromJson(given.environment ?? {}),
    parentRunId: given.parentRunId == null ? null : toId(given.parentRunId, 'parentRunId'),
    attempt: 1,
    leasedUntil: made.leasedMs === null ? null : new Date(made.leasedMs),
    fencingToken: made.fencingToken,
    startedAt: start ? at : null,
    endedAt: null,
    error: null,
    actor: made.actor,
    deletedAt: null,
    createdAt: at,
    updatedAt: at,
    params: { ...given.params },
    tags: { ...given.tags },
    metrics: {},
  };
}

/** As it comes back from a jsonb column: without what JSON leaves out. */
const fromJson = (value: JsonObject): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;
