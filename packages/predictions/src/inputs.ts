import { nameInput } from '@mcp-hub/db-core';
import { REGISTRY_LIMITS } from '@mcp-hub/registry';
import { z } from 'zod';

// What the functions' inputs are made of.

export const modelName = nameInput(REGISTRY_LIMITS.nameLength);

/** A model by its name, or by its id, which a rename leaves. */
export const modelSubject = { name: modelName.optional(), modelId: z.uuid().optional() };

export interface ModelSubject {
  readonly name?: string | undefined;
  readonly modelId?: string | undefined;
}

export const namesOneModel = ({ name, modelId }: ModelSubject) => (name === undefined) !== (modelId === undefined);
export const ONE_MODEL = 'must name the model by name or by modelId, and by one of these';
