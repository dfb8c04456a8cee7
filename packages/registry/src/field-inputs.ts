import { IDEMPOTENCY_LIMITS, jsonInput, keepsEachKey, nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { REGISTRY_LIMITS } from './limits.ts';
import { type ModelStage, modelStages } from './schema.ts';

// What the functions' inputs are made of. A function that only reads takes names as they may stand in the tables, where
// rows are also inserted by hand; those that give a name hold it to the stricter form.

export const modelName = nameInput(REGISTRY_LIMITS.nameLength);
export const versionName = nameInput(REGISTRY_LIMITS.nameLength);
export const aliasName = nameInput(REGISTRY_LIMITS.nameLength);

/** Without the three characters that a reference such as `churn@champion` is read by; the model's name may hold them. */
export const newVersionName = versionName.refine((text) => !/[/@:]/.test(text), 'must not hold "/", "@" or ":"');

/** "latest" and "v12" would read as something that moves by itself, or as a version. */
export const newAliasName = aliasName
  .refine((text) => /^[A-Za-z0-9._-]+$/.test(text), 'must consist of letters, digits, ".", "_" and "-"')
  .refine((text) => !/^(?:latest|v\d+)$/i.test(text), 'must not be "latest" or read as a version such as "v1"');

/** Any case is taken; stages are stored in lower case. The cast narrows what the compiler accepts, not what is parsed. */
export const stageName = z.string().toLowerCase().pipe(z.enum(modelStages)) as unknown as z.ZodType<
  ModelStage,
  ModelStage | Uppercase<ModelStage> | Capitalize<ModelStage>
>;

export const descriptionText = textInput(REGISTRY_LIMITS.descriptionLength);
export const reasonText = textInput(REGISTRY_LIMITS.reasonLength);
export const guardName = nameInput(REGISTRY_LIMITS.guardLength);
export const jsonObject = jsonInput(REGISTRY_LIMITS.jsonLength);

/** Made by the client, one for each thing that it wants done. */
export const idempotencyKey = nameInput(IDEMPOTENCY_LIMITS.keyLength).optional();

export const tagKey = nameInput(REGISTRY_LIMITS.tagKeyLength);
export const tagValue = textInput(REGISTRY_LIMITS.tagValueLength);
export const tagRecord = keepsEachKey<Record<string, string>>()
  .pipe(z.record(tagKey, tagValue))
  .refine(
    (given) => Object.keys(given).length <= REGISTRY_LIMITS.tagsAtOnce,
    `must have at most ${REGISTRY_LIMITS.tagsAtOnce} tags`,
  );
