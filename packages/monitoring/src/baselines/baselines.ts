import {
  defineFilterFields,
  defineList,
  defineOrder,
  type Id,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, type VersionSubject, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { baselineNotFound } from '../not-found.ts';
import type { FieldProfile } from './field-profile.ts';
import { readFields } from './read-fields.ts';
import { type BaselineSource, monitoringBaselines } from './schema.ts';

export interface BaselineHead {
  readonly id: Id<'Baseline'>;
  readonly modelVersionId: Id<'ModelVersion'>;
  readonly revision: number;
  readonly source: BaselineSource;
  readonly windowFrom: Date | null;
  readonly windowTo: Date | null;
  readonly timeZone: string;
  readonly rowCount: number;
  readonly actor: string | null;
  readonly createdAt: Date;
}

export interface Baseline extends BaselineHead {
  readonly fields: readonly FieldProfile[];
}

export const GetBaselineInput = z
  .strictObject({
    ...versionSubject,
    /** Default: the last. */
    revision: z.int().min(1).optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type GetBaselineInput = Readonly<z.input<typeof GetBaselineInput>>;

const { tenantId: _, ...headColumns } = getTableColumns(monitoringBaselines);

/** A baseline of a version, the last one unless told otherwise. @throws DomainError `not_found` without it. */
export async function getBaseline(tx: TenantTx, input: GetBaselineInput): Promise<Baseline> {
  const { revision, ...version } = parseInput(GetBaselineInput, input);
  const head = await findHead(tx, version, revision);
  return { ...head, fields: await readFields(tx, head.id) };
}

/** The head of a baseline. @throws DomainError `not_found` without it. */
export async function findHead(
  tx: TenantTx,
  version: VersionSubject,
  revision: number | undefined,
): Promise<BaselineHead> {
  const ofRevision = revision === undefined ? sql`` : sql`and ${monitoringBaselines.revision} = ${revision}`;
  const [head] = await tx
    .select(headColumns)
    .from(monitoringBaselines)
    .where(
      sql`${monitoringBaselines.tenantId} = ${tenantOf(tx)}
          and ${monitoringBaselines.modelVersionId} = ${versionIdOf(tx, version)} ${ofRevision}`,
    )
    .orderBy(sql`${monitoringBaselines.revision} desc`)
    .limit(1);
  if (head === undefined) throw baselineNotFound();
  return head;
}

const baselineFields = defineFilterFields({
  versionId: uuidField(monitoringBaselines.modelVersionId),
  createdAt: timeField(monitoringBaselines.createdAt),
});

const baselineList = defineList({
  name: 'monitoring.baselines',
  from: monitoringBaselines,
  columns: headColumns,
  order: defineOrder({
    fields: baselineFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: uuidField(monitoringBaselines.id),
  }),
});

export const ListBaselinesInput = z
  .strictObject({ ...PageInput.shape, ...versionSubject })
  .refine(namesOneVersion, ONE_VERSION);
export type ListBaselinesInput = Readonly<z.input<typeof ListBaselinesInput>>;

/** The baselines of a version without their fields, the last first, by pages. One statement, no lock. */
export async function listBaselines(tx: TenantTx, input: ListBaselinesInput): Promise<Page<BaselineHead>> {
  const { name, version, versionId, reference, ...page } = parseInput(ListBaselinesInput, input);
  const subject = { name, version, versionId, reference };
  const condition = sql`${monitoringBaselines.modelVersionId} = ${versionIdOf(tx, subject)}`;
  const of = [name ?? null, version ?? null, versionId ?? null, reference ?? null];
  return await readPage(tx, baselineList, { ...page, within: { condition, of } });
}
