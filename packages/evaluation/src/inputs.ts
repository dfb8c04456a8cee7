import { IDEMPOTENCY_LIMITS, nameInput, textInput } from '@mcp-hub/db-core';
import { modelStages, REGISTRY_LIMITS } from '@mcp-hub/registry';
import { z } from 'zod';
import { EVALUATION_LIMITS } from './limits.ts';

// What the functions' inputs are made of.

export const evaluationId = z.uuid();
export const modelName = nameInput(REGISTRY_LIMITS.nameLength);
export const versionName = nameInput(REGISTRY_LIMITS.nameLength);
export const stageName = z.enum(modelStages);

/** A model version by name and version, or by its id. */
export const versionSubject = {
  name: modelName.optional(),
  version: versionName.optional(),
  versionId: z.uuid().optional(),
};
export interface VersionSubject {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly versionId?: string | undefined;
}
export const namesOneVersion = ({ name, version, versionId }: VersionSubject) =>
  versionId === undefined ? name !== undefined && version !== undefined : name === undefined && version === undefined;
export const ONE_VERSION = 'must name the version by name and version, or by versionId alone';

export const metricName = nameInput(EVALUATION_LIMITS.nameLength);
export const featureName = nameInput(EVALUATION_LIMITS.nameLength);
/** Of a class or a slice; "" is a value of its own. */
export const labelText = textInput(EVALUATION_LIMITS.labelLength);
export const splitName = nameInput(EVALUATION_LIMITS.nameLength);
/** Which part of the split was evaluated; empty: all of it. */
export const sliceName = textInput(EVALUATION_LIMITS.nameLength);

/** What was evaluated on: the digest is what says that two evaluations saw the same rows. */
export const datasetInput = z.strictObject({
  name: nameInput(EVALUATION_LIMITS.datasetLength),
  digest: nameInput(EVALUATION_LIMITS.datasetLength),
});

/** An error rate or a level: neither 0 nor 1. */
export const openShare = z.number().gt(0).lt(1);

/** Of a generator; the low 32 bits count. */
export const seed = z.int();
export const resamples = z.int().min(1).max(EVALUATION_LIMITS.resamples);

/** Made by the client, one for each thing that it wants done. */
export const idempotencyKey = nameInput(IDEMPOTENCY_LIMITS.keyLength).optional();

const isColumn = (given: unknown): boolean =>
  Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView));

/** One value a row: an array, or a typed one. Its values are checked by the statistics that read them. */
export const column = <Value>() => z.custom<ArrayLike<Value>>(isColumn, 'must be an array, one value a row');
