import type { Objectives } from './objectives.ts';
import { randomNumbers } from './random-numbers.ts';
import { sampleGrid } from './sample-grid.ts';
import { sampleRandom } from './sample-random.ts';
import type { SamplerOptions } from './sampler-options.ts';
import type { SearchSpace, TrialParams } from './search-space.ts';
import { sampleTpe } from './tpe/sample-tpe.ts';
import type { EndedTrial, RunningTrial } from './trial-outcome.ts';

export interface Suggestion {
  readonly space: SearchSpace;
  readonly objectives: Objectives;
  readonly sampler: SamplerOptions;
  /** The study's, a safe integer. */
  readonly seed: number;
  /** The trial's, from 0 on. */
  readonly number: number;
  /** Trials that ended with a result, in any order: for TPE the last tpeHistory, and the best ones of one objective. */
  readonly history?: readonly EndedTrial[];
  /** Trials that others are at, those of this number left out. */
  readonly running?: readonly RunningTrial[];
  /** Checked by checkFixedParams; kept where they are active. */
  readonly fixed?: TrialParams;
  /** The cell of a grid; the trial's number if not given. A study that also has enqueued trials leaves these out. */
  readonly gridCell?: number;
}

/**
 * The parameters of a trial, the same for the same input on every machine; undefined where a grid has no cell left.
 *
 * Fixed parameters are kept by all samplers. A grid gives a trial that has any its other parameters at random: such a
 * trial stands beside the grid.
 */
export function suggestParams(suggestion: Suggestion): TrialParams | undefined {
  const { space, sampler, seed, number, fixed = {} } = suggestion;
  const random = randomNumbers(seed, number);
  switch (sampler.kind) {
    case 'random':
      return sampleRandom(space, random, fixed);
    case 'grid':
      return Object.keys(fixed).length > 0
        ? sampleRandom(space, random, fixed)
        : sampleGrid(space, sampler, suggestion.gridCell ?? number);
    case 'tpe':
      return sampleTpe(suggestion, sampler, random);
  }
}
