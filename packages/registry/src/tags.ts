import { parseInput, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, tagKey, tagValue, versionName } from './field-inputs.ts';
import { ensureModelRow } from './model-lock.ts';
import { modelNotFound, versionNotFound } from './not-found.ts';
import { modelRegistry, modelTags, registeredModels } from './schema.ts';
import { liveVersion } from './versions.ts';

export const SetModelTagInput = z.strictObject({ name: modelName, key: tagKey, value: tagValue });
export type SetModelTagInput = Readonly<z.input<typeof SetModelTagInput>>;

/** Sets a tag of a model, in place of the value it had. One statement. @throws DomainError `not_found` without the model. */
export async function setModelTag(tx: TenantTx, input: SetModelTagInput): Promise<void> {
  const { name, key, value } = parseInput(SetModelTagInput, input);
  const set = () => setTag(tx, 'model_id', modelNamed(tx, name), key, value);
  if (await set()) return;
  await ensureModelRow(tx, name);
  if (!(await set())) throw modelNotFound();
}

export const RemoveModelTagInput = z.strictObject({ name: modelName, key: tagKey });
export type RemoveModelTagInput = Readonly<z.input<typeof RemoveModelTagInput>>;

/** Removes a tag of a model; where tag or model is not there, nothing happens. One statement. */
export async function removeModelTag(tx: TenantTx, input: RemoveModelTagInput): Promise<void> {
  const { name, key } = parseInput(RemoveModelTagInput, input);
  await removeTag(tx, modelNamed(tx, name), key);
}

export const SetVersionTagInput = z.strictObject({
  name: modelName,
  version: versionName,
  key: tagKey,
  value: tagValue,
});
export type SetVersionTagInput = Readonly<z.input<typeof SetVersionTagInput>>;

/** As setModelTag, for a version. */
export async function setVersionTag(tx: TenantTx, input: SetVersionTagInput): Promise<void> {
  const { name, version, key, value } = parseInput(SetVersionTagInput, input);
  if (!(await setTag(tx, 'version_id', versionNamed(tx, name, version), key, value))) throw versionNotFound();
}

export const RemoveVersionTagInput = z.strictObject({ name: modelName, version: versionName, key: tagKey });
export type RemoveVersionTagInput = Readonly<z.input<typeof RemoveVersionTagInput>>;

/** As removeModelTag, for a version. */
export async function removeVersionTag(tx: TenantTx, input: RemoveVersionTagInput): Promise<void> {
  const { name, version, key } = parseInput(RemoveVersionTagInput, input);
  await removeTag(tx, versionNamed(tx, name, version), key);
}

const modelNamed = (tx: TenantTx, name: string) => sql`
  select id from ${registeredModels} m
   where m.tenant_id = ${tenantOf(tx)} and m.name = ${name} and m.deleted_at is null`;

const versionNamed = (tx: TenantTx, name: string, version: string) =>
  sql`select id from ${modelRegistry} where ${liveVersion(tx, name, version)}`;

type SubjectColumn = 'model_id' | 'version_id';

/** The insert of all tags of one subject, given by a name or query of the FROM list that has its id. */
export const insertTags = (
  tx: TenantTx,
  column: SubjectColumn,
  subject: SQL,
  tags: Readonly<Record<string, string>> = {},
): SQL => sql`
  insert into ${modelTags} (tenant_id, ${sql.identifier(column)}, key, value)
  select ${tenantOf(tx)}, subject.id, tag.key, tag.value
    from ${subject} as subject,
         unnest(${textArray(Object.keys(tags))}, ${textArray(Object.values(tags))}) as tag (key, value)`;

/** False where there is no subject. */
async function setTag(tx: TenantTx, column: SubjectColumn, subject: SQL, key: string, value: string): Promise<boolean> {
  const rows = await tx.execute(sql`
    ${insertTags(tx, column, sql`(${subject})`, { [key]: value })}
        on conflict (tenant_id, subject_id, key) do update
       set value = excluded.value, updated_at = excluded.updated_at
    returning 1`);
  return rows.length > 0;
}

async function removeTag(tx: TenantTx, subject: SQL, key: string): Promise<void> {
  await tx.execute(sql`
    delete from ${modelTags} t
     where t.tenant_id = ${tenantOf(tx)} and t.subject_id = (${subject}) and t.key = ${key}`);
}
