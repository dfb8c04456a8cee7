import {
  defineFilterFields,
  defineList,
  defineOrder,
  enumField,
  type FilterInput,
  numberField,
  type OrderInput,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionIdOf, versionSubject } from '@mcp-hub/registry';
import { driftTests, driftVerdicts } from '@mcp-hub/stats';
import { getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { profiledFields } from '../baselines/schema.ts';
import { dataDrift } from './schema.ts';

export const driftFields = defineFilterFields({
  checkId: uuidField(dataDrift.checkId),
  field: enumField(dataDrift.field, profiledFields),
  name: textField(dataDrift.name),
  test: enumField(dataDrift.test, driftTests),
  verdict: enumField(dataDrift.verdict, driftVerdicts),
  distance: numberField(dataDrift.distance),
  p: numberField(dataDrift.p),
  adjustedP: numberField(dataDrift.adjustedP),
  fromDay: textField(sql`${dataDrift.fromDay}::text`),
  toDay: textField(sql`${dataDrift.toDay}::text`),
  createdAt: timeField(dataDrift.createdAt),
});

const { tenantId: _, ...columns } = getTableColumns(dataDrift);

const driftList = defineList({
  name: 'monitoring.drift',
  from: dataDrift,
  columns,
  order: defineOrder({
    fields: driftFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: uuidField(dataDrift.id),
  }),
});

/** A row of data_drift. */
export type DataDrift = Readonly<Omit<typeof dataDrift.$inferSelect, 'tenantId'>>;

export const ListDriftInput = z
  .strictObject({
    ...PageInput.shape,
    ...versionSubject,
    /** Text such as `verdict = 'drift' AND name = 'tenure'`, or the same as an object. Read by readFilter. */
    filter: z.custom<FilterInput<typeof driftFields>>().optional(),
    /** Default: the last found first. */
    orderBy: z.custom<OrderInput<typeof driftFields>>().optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type ListDriftInput = Readonly<z.input<typeof ListDriftInput>>;

/** What checks of a version found, by field and test, by pages. One statement, no lock. */
export async function listDrift(tx: TenantTx, input: ListDriftInput): Promise<Page<DataDrift>> {
  const { name, version, versionId, reference, ...page } = parseInput(ListDriftInput, input);
  const condition = sql`${dataDrift.modelVersionId} = ${versionIdOf(tx, { name, version, versionId, reference })}`;
  const of = [name ?? null, version ?? null, versionId ?? null, reference ?? null];
  return await readPage(tx, driftList, { ...page, within: { condition, of } });
}
