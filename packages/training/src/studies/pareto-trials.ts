import {
  type Id,
  int8Array,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
} from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Objectives } from '../samplers/objectives.ts';
import { hyperparameterStudies, hyperparameterTrials } from '../schema.ts';
import { hasBestValue } from './best-trial.ts';
import { paretoFront } from './pareto-front.ts';
import { studyIdInput } from './study-inputs.ts';
import { ofLiveStudy, type Trial, trialList } from './trials.ts';

export const ListParetoTrialsInput = z.strictObject({ studyId: studyIdInput, ...PageInput.shape });
export type ListParetoTrialsInput = Readonly<z.input<typeof ListParetoTrialsInput>>;

/**
 * The complete trials of a study that no other is better than, by number, by pages: none of the others is at least as good
 * in every objective and better in one. Of trials with the same values all are given. With one objective they are those
 * with the best value.
 *
 * Two statements, no lock. With several objectives each page reads the values of all complete trials; where trials end
 * between two pages, the second is of the front as it is then.
 */
export async function listParetoTrials(tx: TenantTx, input: ListParetoTrialsInput): Promise<Page<Trial>> {
  const { studyId: id, ...wanted } = parseInput(ListParetoTrialsInput, input);
  const tenant = tenantOf(tx);
  const rows = await tx.execute<{
    objectives: Objectives;
    number: number | null;
    values: readonly number[] | null;
  }>(sql`
    select s.objectives, t.number, t.values
      from ${hyperparameterStudies} s
      left join ${hyperparameterTrials} t
        on t.tenant_id = ${tenant} and t.study_id = s.id and t.status = 'complete'
       and jsonb_array_length(s.objectives) > 1
     where s.tenant_id = ${tenant} and s.id = ${id} and s.deleted_at is null`);
  const objectives = rows[0]?.objectives ?? [];
  const signs = objectives.map(({ direction }) => (direction === 'maximize' ? -1 : 1));
  const losses = rows.map(({ values }) => signs.map((sign, place) => sign * (values?.[place] ?? Number.NaN)));
  const front = objectives.length > 1 ? paretoFront(losses).flatMap((place) => rows[place]?.number ?? []) : undefined;
  const condition = and(
    eq(hyperparameterTrials.studyId, id as Id<'Study'>),
    eq(hyperparameterTrials.status, 'complete'),
    ofLiveStudy(tx),
    front === undefined ? hasBestValue(tx, id, 0) : sql`${hyperparameterTrials.number} = any(${int8Array(front)})`,
  );
  return await readPage(tx, trialList, { ...wanted, within: { condition, of: [id, 'pareto'] } });
}
