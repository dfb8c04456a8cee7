import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { descriptionText, jsonObject, modelName } from './field-inputs.ts';
import { ensureModelRow } from './model-lock.ts';
import { getModel, type Model } from './models.ts';
import { registeredModels } from './schema.ts';

export const UpdateModelInput = z.strictObject({
  name: modelName,
  /** null removes it; undefined leaves it as it is. */
  description: descriptionText.nullish(),
  /** Takes the place of all metadata. */
  metadata: jsonObject.optional(),
});
export type UpdateModelInput = Readonly<z.input<typeof UpdateModelInput>>;

/** Changes what describes a model. Two or three statements; no lock but the row. @throws DomainError `not_found`. */
export async function updateModel(tx: TenantTx, input: UpdateModelInput): Promise<Model> {
  const { name, description, metadata } = parseInput(UpdateModelInput, input);
  await ensureModelRow(tx, name);
  await tx
    .update(registeredModels)
    .set({
      ...(description === undefined ? {} : { description }),
      ...(metadata === undefined ? {} : { metadata }),
      updatedAt: sql`app_now()`,
    })
    .where(
      and(
        eq(registeredModels.tenantId, tenantOf(tx)),
        eq(registeredModels.name, name),
        isNull(registeredModels.deletedAt),
      ),
    );
  return await getModel(tx, { name });
}
