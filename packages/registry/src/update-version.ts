import { parseInput, type TenantTx, textInput } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { descriptionText, jsonObject, modelName, versionName } from './field-inputs.ts';
import { REGISTRY_LIMITS } from './limits.ts';
import { modelRegistry } from './schema.ts';
import { getVersion, liveVersion, type ModelVersion } from './versions.ts';

export const UpdateVersionInput = z.strictObject({
  name: modelName,
  version: versionName,
  /** null removes it; undefined leaves it as it is. */
  description: descriptionText.nullish(),
  /** Where the artifact lies now. What it is, its digest, size, flavour and signatures, stays: that is another version. */
  artifactUri: textInput(REGISTRY_LIMITS.artifactUriLength).nullish(),
  /** Takes the place of all metadata. */
  metadata: jsonObject.optional(),
});
export type UpdateVersionInput = Readonly<z.input<typeof UpdateVersionInput>>;

/** Changes what describes a version. Two statements; no lock but the row. @throws DomainError `not_found`. */
export async function updateVersion(tx: TenantTx, input: UpdateVersionInput): Promise<ModelVersion> {
  const { name, version, ...changes } = parseInput(UpdateVersionInput, input);
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  await tx
    .update(modelRegistry)
    .set({ ...given, updatedAt: sql`app_now()` })
    .where(liveVersion(tx, name, version));
  return await getVersion(tx, { name, version });
}
