import {
  DomainError,
  jsonParameter,
  nameInput,
  newId,
  oncePerKey,
  parseInput,
  type TenantTx,
  tenantOf,
  textInput,
  toId,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { descriptionText, idempotencyKey, jsonObject, modelName, newVersionName, tagRecord } from './field-inputs.ts';
import { REGISTRY_LIMITS } from './limits.ts';
import { type JsonObject, modelRegistry, registeredModels } from './schema.ts';
import { recordStageTransitions } from './stage-transitions.ts';
import { insertTags } from './tags.ts';
import type { ModelVersion } from './versions.ts';

export const RegisterVersionInput = z.strictObject({
  name: modelName,
  /** Default: the next whole number, "1", "2", … */
  version: newVersionName.optional(),
  description: descriptionText.nullish(),
  artifactUri: textInput(REGISTRY_LIMITS.artifactUriLength).nullish(),
  contentDigest: nameInput(REGISTRY_LIMITS.contentDigestLength).nullish(),
  artifactBytes: z.int().min(0).nullish(),
  flavour: nameInput(REGISTRY_LIMITS.flavourLength).nullish(),
  inputSignature: jsonObject.nullish(),
  outputSignature: jsonObject.nullish(),
  metadata: jsonObject.optional(),
  tags: tagRecord.optional(),
  /** One for each version that the client wants: a repeated call with it gives the result of the first, whatever has
   * befallen the version since. */
  idempotencyKey,
});
export type RegisterVersionInput = Readonly<z.input<typeof RegisterVersionInput>>;

type Given = Omit<z.output<typeof RegisterVersionInput>, 'idempotencyKey'>;

/**
 * Registers a version in stage development, and the model where it is new.
 *
 * A number is never given twice, also after the version that had it was deleted; a version that was named with a number
 * or inserted by hand with one counts. Two round trips. Holds the model's row until the transaction ends, so that
 * registrations of one model wait for each other; register several models in the order of their names. Announces
 * `model_version.registered`.
 *
 * @throws DomainError `already_exists` for a given version that is there, deleted ones included; `failed_precondition`
 *   where the model is deleted; `conflict` where the idempotency key came with other input before.
 */
export async function registerVersion(tx: TenantTx, input: RegisterVersionInput): Promise<ModelVersion> {
  const { idempotencyKey: key, ...given } = parseInput(RegisterVersionInput, input);
  const made = await oncePerKey(tx, { scope: 'registry.registerVersion', key, request: given }, async () => {
    const first = (await insertVersion(tx, given)) ?? (await insertPastTakenNumbers(tx, given));
    const { modelId, changeNumber, changeMs, id, version } = first;
    await recordStageTransitions(
      tx,
      { id: modelId, name: given.name, changeNumber, changeAt: new Date(changeMs) },
      [{ versionId: id, version, fromStage: null, toStage: 'development' }],
      { topic: 'model_version.registered' },
    );
    return first;
  });
  return asRegistered(tx, given, made);
}

/** What the database chose. Stored for a repeated call, which brings the rest itself: no description or URI is stored. */
interface Made {
  readonly id: string;
  readonly modelId: string;
  readonly version: string;
  readonly actor: string | null;
  readonly changeNumber: number;
  readonly changeMs: number;
}

/** The version as getVersion gives it in the moment of its registration. */
function asRegistered(tx: TenantTx, given: Given, made: Made): ModelVersion {
  const at = new Date(made.changeMs);
  return {
    tenantId: tenantOf(tx),
    id: toId(made.id, 'id'),
    name: given.name,
    version: made.version,
    stage: 'development',
    stageChangeNumber: made.changeNumber,
    description: given.description ?? null,
    artifactUri: given.artifactUri ?? null,
    contentDigest: given.contentDigest ?? null,
    artifactBytes: given.artifactBytes ?? null,
    flavour: given.flavour ?? null,
    inputSignature: fromJson(given.inputSignature ?? null),
    outputSignature: fromJson(given.outputSignature ?? null),
    metadata: fromJson(given.metadata ?? {}),
    actor: made.actor,
    deletedAt: null,
    createdAt: at,
    updatedAt: at,
    tags: { ...given.tags },
    aliases: [],
  };
}

/** As it comes back from a jsonb column: without what JSON leaves out. */
const fromJson = <Value extends JsonObject | null>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

interface InsertedRow extends Record<string, unknown> {
  readonly model_id: string;
  readonly change_number: number;
  readonly change_ms: number;
  /** null where the version is taken. */
  readonly id: string | null;
  readonly version: string | null;
  readonly actor: string | null;
}

/** Undefined where the version is taken. */
async function insertVersion(tx: TenantTx, given: Given): Promise<Made | undefined> {
  const tenant = tenantOf(tx);
  const number = given.version === undefined ? undefined : asNumber(given.version);
  const nextNumber =
    given.version === undefined
      ? sql`m.last_version_number + 1`
      : sql`greatest(m.last_version_number, ${number ?? 0}::int)`;
  const [made] = await tx.execute<InsertedRow>(sql`
    with model as (
      insert into ${registeredModels} as m
             (tenant_id, id, name, last_version_number, last_change_number, last_change_at)
      values (${tenant}, ${newId()}, ${given.name}, ${number ?? (given.version === undefined ? 1 : 0)}, 1, app_now())
          on conflict (tenant_id, name) do update
         set last_version_number = ${nextNumber},
             last_change_number  = m.last_change_number + 1,
             last_change_at      = greatest(app_now()::timestamptz(3), m.last_change_at),
             updated_at          = greatest(app_now()::timestamptz(3), m.last_change_at)
       where m.deleted_at is null
      returning id, last_version_number, last_change_number, last_change_at
    ), version as (
      insert into ${modelRegistry}
             (tenant_id, id, name, version, stage_change_number, description, artifact_uri, content_digest,
              artifact_bytes, flavour, input_signature, output_signature, metadata, created_at, updated_at)
      select ${tenant}, ${newId()}, ${given.name}, coalesce(${given.version ?? null}, last_version_number::text),
             last_change_number, ${given.description ?? null}, ${given.artifactUri ?? null},
             ${given.contentDigest ?? null}, ${given.artifactBytes ?? null}::bigint, ${given.flavour ?? null},
             ${jsonOrNull(given.inputSignature)}, ${jsonOrNull(given.outputSignature)},
             ${jsonParameter(given.metadata ?? {})}, last_change_at, last_change_at
        from model
          on conflict (tenant_id, name, version) do nothing
      returning id, version, actor
    ), tagged as (
      ${insertTags(tx, 'version_id', sql`version`, given.tags)}
    )
    select model.id as model_id, model.last_change_number::float8 as change_number,
           (extract(epoch from model.last_change_at) * 1000)::float8 as change_ms,
           version.id, version.version, version.actor
      from model left join version on true`);
  if (made === undefined) {
    throw new DomainError('failed_precondition', 'The model is deleted. Restore it, or delete it for good.');
  }
  const { id, version, actor } = made;
  if (id !== null && version !== null) {
    return { id, modelId: made.model_id, version, actor, changeNumber: made.change_number, changeMs: made.change_ms };
  }
  if (given.version !== undefined) {
    throw new DomainError('already_exists', 'This version of the model exists already; deleted versions count.');
  }
  return undefined;
}

/** The next number was inserted by hand. The first attempt left the model's row locked, so this one is the last. */
async function insertPastTakenNumbers(tx: TenantTx, given: Given): Promise<Made> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`
    update ${registeredModels}
       set last_version_number = (
             select max(v.version::int) from ${modelRegistry} v
              where v.tenant_id = ${tenant} and v.name = ${given.name} and v.version ~ ${numberForm.source})
     where tenant_id = ${tenant} and name = ${given.name}`);
  const made = await insertVersion(tx, given);
  if (made !== undefined) return made;
  throw new DomainError('conflict', 'A version with the next number was inserted by hand at the same time. Try again.');
}

// Nine digits fit the counter's type. A longer number is a label like any other.
const numberForm = /^[1-9][0-9]{0,8}$/;

const asNumber = (version: string) => (numberForm.test(version) ? Number(version) : undefined);

const jsonOrNull = (value: unknown) => (value == null ? sql`null::jsonb` : jsonParameter(value));
