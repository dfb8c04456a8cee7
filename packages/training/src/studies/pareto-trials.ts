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
import { paretoFront } from './pareto-front.ts';
import { studyId } from './study-inputs.ts';
import { ofLiveStudy, type Trial, trialList } from './trials.ts';

export const ListParetoTrialsInput = z.strictObject({ studyId, ...PageInput.shape });
export type ListParetoTrialsInput = Readonly<z.input<typeof ListParetoTrialsInput>>;

/**
 * The complete trials of a study that no other is better than, by number, by pages: none of the others is at least as good
 * in every objective and better in one. Of trials with the same values all are given. With one objective they are those
 * with the best value.
 *
 * Two statements, no lock. Each page reads the values of all complete trials, some 30 bytes each; where trials end between
 * two pages, the second is of the front as it is then.
 */
export async function listParetoTrials(tx: TenantTx, input: ListParetoTrialsInput): Promise<Page<Trial>> {
  const { studyId: id, ...wanted } = parseInput(ListParetoTrialsInput, input);
  const tenant = tenantOf(tx);
  const [study] = await tx.execute<{
    objectives: Objectives;
    numbers: readonly number[] | null;
    points: readonly number[] | null;
  }>(sql`
    select s.objectives, complete.numbers, complete.points
      from ${hyperparameterStudies} s,
           lateral (
             select array_agg(t.number order by t.number, p.place) filter (where p.place = 1) as numbers,
                    array_agg(p.value order by t.number, p.place) as points
               from ${hyperparameterTrials} t, unnest(t.values) with ordinality as p (value, place)
              where t.tenant_id = ${tenant} and t.study_id = s.id and t.status = 'complete') as complete
     where s.tenant_id = ${tenant} and s.id = ${id} and s.deleted_at is null`);
  const front = study === undefined ? [] : frontOf(study.objectives, study.numbers ?? [], study.points ?? []);
  const condition = and(
    eq(hyperparameterTrials.studyId, id as Id<'Study'>),
    ofLiveStudy(tx),
    sql`${hyperparameterTrials.number} = any(${int8Array(front)})`,
  );
  return await readPage(tx, trialList, { ...wanted, within: { condition, of: [id, 'pareto'] } });
}

function frontOf(objectives: Objectives, numbers: readonly number[], points: readonly number[]): readonly number[] {
  const signs = objectives.map(({ direction }) => (direction === 'maximize' ? -1 : 1));
  const losses = numbers.map((_, trial) =>
    signs.map((sign, objective) => sign * (points[trial * signs.length + objective] ?? Number.NaN)),
  );
  return paretoFront(losses).flatMap((trial) => numbers[trial] ?? []);
}
