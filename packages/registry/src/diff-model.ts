import { parseInput, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelSubject, ONE_SUBJECT, ofModel, oneSubject } from './history.ts';
import { type ModelStage, modelAliasMoves, modelRenames, modelStageTransitions } from './schema.ts';

export const DiffModelInput = z
  .strictObject({ ...modelSubject, from: z.date(), to: z.date() })
  .refine(oneSubject, ONE_SUBJECT)
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'must not be earlier than from' });
export type DiffModelInput = Readonly<z.input<typeof DiffModelInput>>;

/** A version whose stage is another at the end; null where it was not there: not registered yet, or deleted. */
export interface StageDifference {
  readonly versionId: string;
  readonly version: string;
  readonly fromStage: ModelStage | null;
  readonly toStage: ModelStage | null;
}

/** An alias that points elsewhere at the end; null where it pointed nowhere. */
export interface AliasDifference {
  readonly alias: string;
  readonly fromVersion: string | null;
  readonly toVersion: string | null;
}

/** What differs between two times, and not what lies between: what was changed and changed back is not in it. */
export interface ModelDiff {
  /** null where the model bore the same name at both times. */
  readonly renamed: { readonly fromName: string; readonly toName: string } | null;
  /** In the order of registration. */
  readonly stages: readonly StageDifference[];
  /** In alphabetical order. */
  readonly aliases: readonly AliasDifference[];
}

/**
 * How a model at the time `to` differs from what it was at `from`, the changes of either moment included.
 *
 * From the history, so that it holds after renames and deletions too; a version that was inserted by hand is known from
 * its first move on, which also says where it was before. One statement, no lock; it reads the history of the one model.
 * Empty where there is no such model.
 */
export async function diffModel(tx: TenantTx, input: DiffModelInput): Promise<ModelDiff> {
  const { from, to, ...subject } = parseInput(DiffModelInput, input);
  const tenant = tenantOf(tx);
  const between = sql`occurred_at > ${timeParameter(from)} and occurred_at <= ${timeParameter(to)}`;
  // Each row says both ends of its change, so the first and the last of the time between tell what was and what is.
  const [diff] = await tx.execute<
    { stages: StageDifference[]; aliases: AliasDifference[] } & Pick<ModelDiff, 'renamed'>
  >(
    sql`
    with stages as (
      select version_id, max(version) as version,
             (array_agg(from_stage order by change_number))[1] as from_stage,
             (array_agg(to_stage order by change_number desc))[1] as to_stage
        from ${modelStageTransitions}
       where tenant_id = ${tenant} and ${ofModel(tx, modelStageTransitions.modelId, subject)} and ${between}
       group by version_id
    ), aliases as (
      select alias,
             (array_agg(from_version_id order by change_number))[1] as from_id,
             (array_agg(from_version order by change_number))[1] as from_version,
             (array_agg(to_version_id order by change_number desc))[1] as to_id,
             (array_agg(to_version order by change_number desc))[1] as to_version
        from ${modelAliasMoves}
       where tenant_id = ${tenant} and ${ofModel(tx, modelAliasMoves.modelId, subject)} and ${between}
       group by alias
    ), names as (
      select (array_agg(from_name order by change_number))[1] as from_name,
             (array_agg(to_name order by change_number desc))[1] as to_name
        from ${modelRenames}
       where tenant_id = ${tenant} and ${ofModel(tx, modelRenames.modelId, subject)} and ${between}
    )
    select coalesce((select json_agg(json_build_object('versionId', version_id, 'version', version,
                                                       'fromStage', from_stage, 'toStage', to_stage) order by version_id)
                       from stages where from_stage is distinct from to_stage), '[]') as stages,
           coalesce((select json_agg(json_build_object('alias', alias, 'fromVersion', from_version,
                                                       'toVersion', to_version) order by alias)
                       from aliases where from_id is distinct from to_id), '[]') as aliases,
           (select json_build_object('fromName', from_name, 'toName', to_name)
              from names where from_name is distinct from to_name) as renamed`,
  );
  return diff ?? { renamed: null, stages: [], aliases: [] };
}
