import { type Database, DomainError, parseInput, readOne } from '@mcp-hub/db-core';
import { Objectives } from '../samplers/objectives.ts';
import { SamplerOptions } from '../samplers/sampler-options.ts';
import { SearchSpace, type TrialParams } from '../samplers/search-space.ts';
import { suggestParams } from '../samplers/suggest-params.ts';
import { readHistory } from './read-history.ts';
import type { StudyColumns } from './study-lock.ts';

/** The parameters of a trial, chosen by its study's sampler. It holds no transaction while the sampler thinks. */
export async function chooseParams(
  db: Database,
  tenant: string,
  { study, number, fixed }: { readonly study: StudyColumns; readonly number: number; readonly fixed: TrialParams },
): Promise<TrialParams> {
  // Rows are also inserted by hand.
  const space = parseInput(SearchSpace, study.searchSpace);
  const objectives = parseInput(Objectives, study.objectives);
  const sampler = parseInput(SamplerOptions, study.sampler);
  const learned =
    sampler.kind === 'tpe' ? await readOne(db, tenant, (tx) => readHistory(tx, { study, objectives, number })) : {};
  const params = suggestParams({ space, objectives, sampler, seed: study.seed, number, fixed, ...learned });
  if (params !== undefined) return params;
  throw new DomainError('failed_precondition', 'The grid has no cell for this trial: lower maxTrials to its size.');
}
