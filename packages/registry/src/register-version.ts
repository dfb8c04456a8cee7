import {
  DomainError,
  jsonParameter,
  nameInput,
  newId,
  parseInput,
  recordEvent,
  type TenantTx,
  tenantOf,
  textArray,
  textInput,
  withIdempotencyKey,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { descriptionText, jsonObject, modelName, newVersionName, tagRecord } from './field-inputs.ts';
import { REGISTRY_LIMITS } from './limits.ts';
import { modelRegistry, modelStageTransitions, modelTags, registeredModels } from './schema.ts';
import { getVersion, type ModelVersion } from './versions.ts';

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
  /** One for each version that the client wants: a repeated call with it gives the version of the first. */
  idempotencyKey: z.string().optional(),
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
  const { idempotencyKey, ...given } = parseInput(RegisterVersionInput, input);
  if (idempotencyKey === undefined) {
    const made = await insert(tx, given);
    const [version] = await Promise.all([read(tx, made), announce(tx, made)]);
    return version;
  }
  const request = { scope: 'registry.registerVersion', key: idempotencyKey, request: given };
  const made = await withIdempotencyKey(tx, request, async () => {
    const first = await insert(tx, given);
    await announce(tx, first);
    return first;
  });
  return await read(tx, made);
}

interface Made {
  readonly id: string;
  readonly modelId: string;
  readonly name: string;
  readonly version: string;
}

const insert = async (tx: TenantTx, given: Given): Promise<Made> =>
  (await insertVersion(tx, given)) ?? (await insertPastTakenNumbers(tx, given));

const read = (tx: TenantTx, { name, version }: Made) => getVersion(tx, { name, version });

const announce = (tx: TenantTx, { id, modelId, name, version }: Made) =>
  recordEvent(tx, { topic: 'model_version.registered', subjectId: id, payload: { modelId, name, version } });

/** Undefined where the version is taken. */
async function insertVersion(tx: TenantTx, given: Given): Promise<Made | undefined> {
  const tenant = tenantOf(tx);
  const number = given.version === undefined ? undefined : asNumber(given.version);
  const nextNumber =
    given.version === undefined
      ? sql`m.last_version_number + 1`
      : sql`greatest(m.last_version_number, ${number ?? 0}::int)`;
  const entries = Object.entries(given.tags ?? {});
  const [made] = await tx.execute<{ model_id: string | null; id: string | null; version: string | null }>(sql`
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
      returning id, version, stage
    ), transition as (
      insert into ${modelStageTransitions}
             (tenant_id, model_id, change_number, version_id, name, version, to_stage, occurred_at)
      select ${tenant}, model.id, model.last_change_number, version.id, ${given.name}, version.version, version.stage,
             model.last_change_at
        from model, version
      returning version_id
    ), tagged as (
      insert into ${modelTags} (tenant_id, version_id, key, value)
      select ${tenant}, version.id, tag.key, tag.value
        from version, unnest(${textArray(entries.map(([key]) => key))}, ${textArray(entries.map(([, value]) => value))}) as tag (key, value)
      returning key
    )
    select model.id as model_id, version.id, version.version from model left join version on true`);
  if (made?.model_id == null) {
    throw new DomainError('failed_precondition', 'The model is deleted. Restore it, or delete it for good.');
  }
  if (made.id !== null && made.version !== null) {
    return { id: made.id, modelId: made.model_id, name: given.name, version: made.version };
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
