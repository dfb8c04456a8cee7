import type { RandomNumbers } from '../random-numbers.ts';
import { sampleRandom } from '../sample-random.ts';
import type { TpeOptions } from '../sampler-options.ts';
import type { TrialParams } from '../search-space.ts';
import type { Suggestion } from '../suggest-params.ts';

export function sampleTpe({ space, fixed }: Suggestion, _options: TpeOptions, random: RandomNumbers): TrialParams {
  return sampleRandom(space, random, fixed);
}
