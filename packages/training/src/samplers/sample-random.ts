import { isActive, orderParams } from './param-order.ts';
import { choiceAt, countValues, numberAt, stepOf } from './param-values.ts';
import { type RandomNumbers, randomIndex } from './random-numbers.ts';
import type { ParamValue, SearchSpace, SearchSpaceParam, TrialParams } from './search-space.ts';

/** Parameters drawn evenly, each by itself, in the order in which they are decided. Fixed ones stay, where active. */
export function sampleRandom(space: SearchSpace, random: RandomNumbers, fixed: TrialParams = {}): TrialParams {
  const params: Record<string, ParamValue> = {};
  for (const { name, param } of orderParams(space)) {
    if (!isActive(space, param, params)) continue;
    const given = Object.hasOwn(fixed, name) ? fixed[name] : undefined;
    params[name] = given === undefined ? drawValue(param, random) : given;
  }
  return params;
}

/** One value, each as likely as the others: by length of the range, with log by that of its logarithm. */
function drawValue(param: SearchSpaceParam, random: RandomNumbers): ParamValue {
  if (param.type === 'categorical') return choiceAt(param, randomIndex(random, param.choices.length));
  if (param.low === param.high) return param.low;
  if (param.log === true) {
    // An int's value is all of the range that is rounded to it, half a step beyond the ends included.
    const margin = param.type === 'int' ? 0.5 : 0;
    const low = Math.log(param.low - margin);
    const drawn = Math.exp(low + random() * (Math.log(param.high + margin) - low));
    return Math.min(Math.max(param.type === 'int' ? Math.round(drawn) : drawn, param.low), param.high);
  }
  if (stepOf(param) !== undefined) return numberAt(param, randomIndex(random, countValues(param)));
  return Math.min(param.low + random() * (param.high - param.low), param.high);
}
