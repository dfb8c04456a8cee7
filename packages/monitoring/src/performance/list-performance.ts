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
import { getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { performanceBases, performanceDrift, performanceVerdicts } from './schema.ts';

export const performanceFields = defineFilterFields({
  metric: textField(performanceDrift.metric),
  basis: enumField(performanceDrift.basis, performanceBases),
  verdict: enumField(performanceDrift.verdict, performanceVerdicts),
  value: numberField(performanceDrift.value),
  p: numberField(performanceDrift.p),
  fromDay: textField(sql`${performanceDrift.fromDay}::text`),
  toDay: textField(sql`${performanceDrift.toDay}::text`),
  createdAt: timeField(performanceDrift.createdAt),
});

const { tenantId: _, ...columns } = getTableColumns(performanceDrift);

const performanceList = defineList({
  name: 'monitoring.performance',
  from: performanceDrift,
  columns,
  order: defineOrder({
    fields: performanceFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: uuidField(performanceDrift.id),
  }),
});

/** A row of performance_drift. */
export type PerformanceDrift = Readonly<Omit<typeof performanceDrift.$inferSelect, 'tenantId'>>;

export const ListPerformanceInput = z
  .strictObject({
    ...PageInput.shape,
    ...versionSubject,
    /** Text such as `metric = 'recall' AND verdict = 'degraded'`, or the same as an object. Read by readFilter. */
    filter: z.custom<FilterInput<typeof performanceFields>>().optional(),
    /** Default: the last found first. */
    orderBy: z.custom<OrderInput<typeof performanceFields>>().optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type ListPerformanceInput = Readonly<z.input<typeof ListPerformanceInput>>;

/** What looks at a version's performance found, by pages. One statement, no lock. */
export async function listPerformance(tx: TenantTx, input: ListPerformanceInput): Promise<Page<PerformanceDrift>> {
  const { name, version, versionId, reference, ...page } = parseInput(ListPerformanceInput, input);
  const subject = { name, version, versionId, reference };
  const condition = sql`${performanceDrift.modelVersionId} = ${versionIdOf(tx, subject)}`;
  const of = [name ?? null, version ?? null, versionId ?? null, reference ?? null];
  return await readPage(tx, performanceList, { ...page, within: { condition, of } });
}
