import { TRAINING_LIMITS } from '../limits.ts';
import { countValues, indexOfValue, isWhole, type SteppedParam, stepOf, stepsOf } from './param-values.ts';
import type { ParamValue, SearchSpace, SearchSpaceParam } from './search-space.ts';

interface Fault {
  readonly path: readonly (string | number)[];
  /** Reads on from the path: "must …". Holds no value. */
  readonly rule: string;
}

/**
 * What the form of each parameter by itself does not show. Empty for a space that can be searched.
 *
 * Names are values, which errors do not tell: a rule ends with the position of its parameter, 0 for the first given.
 */
export function spaceFaults(space: SearchSpace): readonly Fault[] {
  const names = Object.keys(space);
  if (names.length === 0) return [{ path: [], rule: 'must have at least 1 parameter' }];
  if (names.length > TRAINING_LIMITS.searchSpaceParams) {
    return [
      { path: [], rule: `must have at most ${TRAINING_LIMITS.searchSpaceParams} parameters, not ${names.length}` },
    ];
  }
  const own = Object.entries(space).flatMap(([name, param]) =>
    rangeFaults(param).map((fault) => ({ path: [name, ...fault.path], rule: fault.rule })),
  );
  return (own.length > 0 ? own : conditionFaults(space)).map(({ path, rule }) => ({
    path,
    rule: `${rule} (parameter ${names.indexOf(String(path[0]))} as given)`,
  }));
}

function rangeFaults(param: SearchSpaceParam): readonly Fault[] {
  if (param.type === 'categorical') {
    return hasTwice(param.choices) ? [{ path: ['choices'], rule: 'must not hold a choice twice: leave one out' }] : [];
  }
  if (param.low > param.high) return [{ path: ['low'], rule: 'must not be above high: swap the two' }];
  if (param.log === true) return logFaults(param);
  if (!Number.isFinite(param.high - param.low)) {
    return [{ path: ['high'], rule: 'lies too far from low for a double: narrow the range, or take log' }];
  }
  if (param.type === 'int' && !Number.isSafeInteger(param.high - param.low)) {
    return [{ path: ['high'], rule: 'must lie less than 2^53 above low' }];
  }
  const step = stepOf(param);
  return step === undefined || param.low === param.high ? [] : stepFaults(param, step);
}

function logFaults(param: SteppedParam): readonly Fault[] {
  if (param.low <= 0) {
    return [{ path: ['low'], rule: 'must be above 0 where log is true: raise it, or leave log out' }];
  }
  if (param.step !== undefined && !(param.type === 'int' && param.step === 1)) {
    return [{ path: ['step'], rule: 'must not be given where log is true: leave out one of the two' }];
  }
  return [];
}

function stepFaults(param: SteppedParam, step: number): readonly Fault[] {
  const steps = stepsOf(param, step);
  // Half a step is where a value is rounded to its neighbour: below this, neighbours would be the same double.
  if (
    steps > Number.MAX_SAFE_INTEGER / 4 ||
    step < 4 * Number.EPSILON * Math.max(Math.abs(param.low), Math.abs(param.high))
  ) {
    return param.type === 'int' ? [] : [{ path: ['step'], rule: 'is too small for the range: leave it out' }];
  }
  return Math.round(steps) >= 1 && isWhole(steps)
    ? []
    : [{ path: ['step'], rule: 'must lead from low to high in whole steps: change step, or move high' }];
}

function conditionFaults(space: SearchSpace): readonly Fault[] {
  const faults = Object.entries(space).flatMap(([name, { when }]): readonly Fault[] => {
    if (when === undefined) return [];
    const parent = Object.hasOwn(space, when.param) ? space[when.param] : undefined;
    if (parent === undefined) {
      return [{ path: [name, 'when', 'param'], rule: 'must be a parameter of the same search space' }];
    }
    if (countValues(parent) === Number.POSITIVE_INFINITY) {
      return [
        {
          path: [name, 'when', 'param'],
          rule: 'must have values that can be named: categorical, int, or float with step',
        },
      ];
    }
    if (hasTwice(when.in)) return [{ path: [name, 'when', 'in'], rule: 'must not hold a value twice: leave one out' }];
    const unknown = when.in.findIndex((value) => indexOfValue(parent, value) === undefined);
    return unknown < 0
      ? []
      : [
          {
            path: [name, 'when', 'in', unknown],
            rule: 'must be a value that the parameter of the condition can take',
          },
        ];
  });
  if (faults.length > 0) return faults;
  return Object.keys(space)
    .filter((name) => standsOnItself(space, name))
    .map((name) => ({
      path: [name, 'when', 'param'],
      rule: 'must not lead back to the parameter itself: leave one of these conditions out',
    }));
}

/** Follows conditions for at most as many steps as there are parameters. */
function standsOnItself(space: SearchSpace, name: string): boolean {
  let at = space[name]?.when?.param;
  for (let walked = 0; at !== undefined && walked <= TRAINING_LIMITS.searchSpaceParams; walked += 1) {
    if (at === name) return true;
    at = space[at]?.when?.param;
  }
  return false;
}

const hasTwice = (values: readonly ParamValue[]) => new Set(values).size < values.length;
