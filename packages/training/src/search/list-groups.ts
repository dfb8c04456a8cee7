import {
  defineFilterFields,
  defineList,
  defineOrder,
  type FilterInput,
  numberField,
  type OrderInput,
  type Page,
  type PageClauses,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  textField,
  timeField,
} from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type RunStatus, runStatuses, trainingRuns } from '../schema.ts';

/** Runs that bear the same group: what MLflow calls an experiment. */
export interface RunGroup {
  readonly group: string;
  /** Runs that are not deleted; the counts by status add up to it. */
  readonly runCount: number;
  readonly byStatus: Readonly<Record<RunStatus, number>>;
  /** When the first and the last of these runs were created. */
  readonly firstCreatedAt: Date;
  readonly lastCreatedAt: Date;
}

const runCount = sql`training_runs.run_count`;
const firstCreatedAt = sql`training_runs.first_created_at`;
const lastCreatedAt = sql`training_runs.last_created_at`;

/** What groups can be searched and ordered by. */
export const groupFields = defineFilterFields({
  group: textField(trainingRuns.group, { aliases: ['name'] }),
  runCount: numberField(runCount, { cast: 'bigint' }),
  firstCreatedAt: timeField(firstCreatedAt),
  lastCreatedAt: timeField(lastCreatedAt),
});

const countsByStatus = sql.join(
  runStatuses.map(
    (status) => sql`${sql.raw(`'${status}'`)}, count(*) filter (where status = ${sql.raw(`'${status}'`)})`,
  ),
  sql`, `,
);

/** Under the name of the runs' table, so that the fields mean the groups. A page by name counts its own groups only. */
const groupsOfRuns = ({ tenant, condition, inOrder }: PageClauses): SQL => sql`(
    select *
      from (select group_name, count(*) as run_count, json_build_object(${countsByStatus}) as by_status,
                   min(created_at) as first_created_at, max(created_at) as last_created_at
              from ${trainingRuns}
             where tenant_id = ${tenant} and deleted_at is null
             group by group_name) as training_runs
     where ${condition} ${inOrder}) as training_runs`;

const groupList = defineList({
  name: 'training.groups',
  from: groupsOfRuns,
  columns: {
    group: trainingRuns.group,
    runCount: runCount.mapWith(Number),
    byStatus: sql<RunGroup['byStatus']>`training_runs.by_status`,
    firstCreatedAt: firstCreatedAt.mapWith(trainingRuns.createdAt),
    lastCreatedAt: lastCreatedAt.mapWith(trainingRuns.createdAt),
  },
  order: defineOrder({
    fields: groupFields,
    byDefault: [{ field: 'group' }],
    tieBreaker: groupFields.fields.group,
  }),
});

export const ListGroupsInput = z.strictObject({
  ...PageInput.shape,
  /** Text such as `group LIKE 'churn%' AND run_count > 10`, or the same as an object. Read by readFilter. */
  filter: z.custom<FilterInput<typeof groupFields>>().optional(),
  /** Default: by name. */
  orderBy: z.custom<OrderInput<typeof groupFields>>().optional(),
});
export type ListGroupsInput = Readonly<z.input<typeof ListGroupsInput>>;

/**
 * The groups that have runs, by pages. One statement, no lock; it counts the runs of the groups that it gives, and of all
 * groups where they are ordered by more than their name.
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for limit and cursor.
 */
export async function listGroups(tx: TenantTx, input: ListGroupsInput = {}): Promise<Page<RunGroup>> {
  return await readPage(tx, groupList, parseInput(ListGroupsInput, input));
}
