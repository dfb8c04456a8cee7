import type { CategoricalParam, FloatParam, IntParam, ParamValue, SearchSpaceParam } from './search-space.ts';

/** Of a step that misses the end of the range by no more than this share of itself, the rest is rounding. */
const stepTolerance = 1e-6;

export type SteppedParam = FloatParam | IntParam;

/** What lies between two values of the parameter; undefined where they lie without a gap. */
export const stepOf = (param: SteppedParam): number | undefined =>
  param.type === 'int' ? (param.step ?? 1) : param.step;

/** How many steps lead from low to high, whole or not. */
export const stepsOf = (param: SteppedParam, step: number): number => (param.high - param.low) / step;

export const isWhole = (steps: number): boolean => Math.abs(steps - Math.round(steps)) <= stepTolerance;

/** How many values the parameter can take; Infinity for a float without step. */
export function countValues(param: SearchSpaceParam): number {
  if (param.type === 'categorical') return param.choices.length;
  if (param.low === param.high) return 1;
  const step = stepOf(param);
  return step === undefined ? Number.POSITIVE_INFINITY : Math.round(stepsOf(param, step)) + 1;
}

/** The value at `index` from 0 on, in the order of the range or of the choices. The index lies below countValues. */
export function valueAt(param: SearchSpaceParam, index: number): ParamValue {
  return param.type === 'categorical' ? choiceAt(param, index) : numberAt(param, index);
}

export function choiceAt(param: CategoricalParam, index: number): ParamValue {
  const choice = param.choices[index];
  if (choice === undefined) throw new RangeError('An index of a choice lies below their count');
  return choice;
}

/** low + index · step as a decimal that people would write: 0.3, and not 0.30000000000000004. */
export function numberAt(param: SteppedParam, index: number): number {
  const step = stepOf(param) ?? 0;
  if (index === 0 || step === 0) return param.low;
  const raw = param.low + index * step;
  if (param.type === 'int') return raw;
  if (index >= Math.round(stepsOf(param, step))) return param.high;
  const written = Number(raw.toPrecision(15));
  return Math.abs(written - raw) <= step * stepTolerance ? written : raw;
}

/** The index of a value that the parameter can take; undefined for any other value, and in a range without step. */
export function indexOfValue(param: SearchSpaceParam, value: ParamValue): number | undefined {
  if (param.type === 'categorical') {
    const index = param.choices.indexOf(value);
    return index < 0 ? undefined : index;
  }
  const step = param.low === param.high ? 1 : stepOf(param);
  if (step === undefined || !isInRange(param, value)) return undefined;
  const steps = (value - param.low) / step;
  return isWhole(steps) ? Math.round(steps) : undefined;
}

/** Whether the parameter can take the value, the condition aside. */
export function canTake(param: SearchSpaceParam, value: ParamValue): boolean {
  return countValues(param) === Number.POSITIVE_INFINITY
    ? param.type === 'float' && isInRange(param, value)
    : indexOfValue(param, value) !== undefined;
}

/** Whether the two are one value of the parameter: 0.1 + 0.2 and 0.3 are, in steps of 0.1. */
export const isSameValue = (param: SearchSpaceParam, a: ParamValue, b: ParamValue): boolean =>
  a === b || (param.type === 'float' && param.step !== undefined && indexOfValue(param, a) === indexOfValue(param, b));

/** The value as the samplers write it. The parameter can take it. */
export function writtenValue(param: SearchSpaceParam, value: ParamValue): ParamValue {
  const index = param.type === 'float' ? indexOfValue(param, value) : undefined;
  return index === undefined ? value : valueAt(param, index);
}

const isInRange = (param: SteppedParam, value: ParamValue): value is number =>
  typeof value === 'number' &&
  value >= param.low &&
  value <= param.high &&
  (param.type === 'float' || Number.isInteger(value));
