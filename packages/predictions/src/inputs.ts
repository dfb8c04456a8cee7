import { nameInput } from '@mcp-hub/db-core';
import { parseModelReference, REGISTRY_LIMITS } from '@mcp-hub/registry';
import { z } from 'zod';

// What the functions' inputs are made of.

export const modelName = nameInput(REGISTRY_LIMITS.nameLength);
const versionName = nameInput(REGISTRY_LIMITS.nameLength);

const isReference = (text: string): boolean => {
  try {
    parseModelReference(text);
    return true;
  } catch {
    return false;
  }
};

/** A model version by name and version, by its id, or by a reference such as `churn@champion`. */
export const versionSubject = {
  name: modelName.optional(),
  version: versionName.optional(),
  versionId: z.uuid().optional(),
  reference: z.string().refine(isReference, 'must read model@alias, model/version or model:stage').optional(),
};

export interface VersionSubject {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly versionId?: string | undefined;
  readonly reference?: string | undefined;
}

export const namesOneVersion = ({ name, version, versionId, reference }: VersionSubject) =>
  Number(name !== undefined && version !== undefined) +
    Number(versionId !== undefined) +
    Number(reference !== undefined) ===
    1 && (name === undefined) === (version === undefined);
export const ONE_VERSION =
  'must name the version by name and version, by versionId, or by reference, and by one of these';

/** A model by its name, or by its id, which a rename leaves. */
export const modelSubject = { name: modelName.optional(), modelId: z.uuid().optional() };

export interface ModelSubject {
  readonly name?: string | undefined;
  readonly modelId?: string | undefined;
}

export const namesOneModel = ({ name, modelId }: ModelSubject) => (name === undefined) !== (modelId === undefined);
export const ONE_MODEL = 'must name the model by name or by modelId, and by one of these';
