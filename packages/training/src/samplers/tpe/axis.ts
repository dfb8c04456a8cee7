import { canTake, choiceAt, indexOfValue, numberAt, type SteppedParam, stepOf } from '../param-values.ts';
import type { CategoricalParam, ParamValue, SearchSpaceParam } from '../search-space.ts';

/**
 * A parameter as a line on which kernels stand: numbers as they are, with log their logarithms, choices as their index.
 */
export interface Axis {
  readonly name: string;
  /** The coordinate of a value; undefined for one that the parameter cannot take. */
  readonly coordinateOf: (value: ParamValue) => number | undefined;
  readonly valueOf: (coordinate: number) => ParamValue;
  /** The nearest coordinate that a value has. */
  readonly snap: (coordinate: number) => number;
  /** How many choices there are; undefined for numbers. */
  readonly choices: number | undefined;
  /** The ends of the line: with a step half of it beyond low and high, so that all values have the same room. */
  readonly low: number;
  readonly high: number;
  /** The part of the line that stands for the value of a coordinate; undefined where values lie without a gap. */
  readonly cellOf: ((coordinate: number) => readonly [from: number, to: number]) | undefined;
}

export const axisOf = (name: string, param: SearchSpaceParam): Axis =>
  param.type === 'categorical' ? choiceAxis(name, param) : numberAxis(name, param);

const choiceAxis = (name: string, param: CategoricalParam): Axis => ({
  name,
  coordinateOf: (value) => indexOfValue(param, value),
  valueOf: (coordinate) => choiceAt(param, coordinate),
  snap: (coordinate) => coordinate,
  choices: param.choices.length,
  low: 0,
  high: 0,
  cellOf: undefined,
});

function numberAxis(name: string, param: SteppedParam): Axis {
  const [onLine, offLine] = param.log === true ? [Math.log, Math.exp] : [same, same];
  const step = stepOf(param);
  const half = step === undefined ? 0 : step / 2;
  const numberOf = (coordinate: number) => {
    const number = Math.min(Math.max(offLine(coordinate), param.low), param.high);
    return step === undefined ? number : numberAt(param, Math.round((number - param.low) / step));
  };
  return {
    name,
    coordinateOf: (value) => (typeof value === 'number' && canTake(param, value) ? onLine(value) : undefined),
    valueOf: numberOf,
    snap: (coordinate) => onLine(numberOf(coordinate)),
    choices: undefined,
    low: onLine(param.low - half),
    high: onLine(param.high + half),
    cellOf:
      step === undefined
        ? undefined
        : (coordinate) => {
            const number = numberOf(coordinate);
            return [onLine(number - half), onLine(number + half)];
          },
  };
}

const same = (x: number) => x;
