import { DomainError } from '@mcp-hub/db-core';
import { type NamedParam, orderParams } from './param-order.ts';
import { canTake, countValues, indexOfValue, isSameValue, valueAt } from './param-values.ts';
import type { GridOptions } from './sampler-options.ts';
import type { ParamValue, SearchSpace, SearchSpaceParam, TrialParams } from './search-space.ts';

/** One parameter's values in the grid, and those of the parameters whose conditions stand on it. */
interface Axis {
  readonly name: string;
  readonly count: number;
  readonly at: (index: number) => ParamValue;
  /** Runs of values under which the same parameters are active, in the order of the values. */
  readonly runs: readonly Run[];
  /** Cells of this axis with all that stands on it. */
  readonly cells: number;
}

interface Run {
  readonly first: number;
  readonly length: number;
  readonly children: readonly Axis[];
  /** Cells of one value: the product of those of the children. */
  readonly cellsEach: number;
}

/**
 * How many cells the grid has: each combination of values once, where a parameter that is not active does not multiply.
 *
 * @throws DomainError `invalid_input` for points that the space does not have, given twice or missing where a range has
 *   no step, and for more cells than 2^53.
 */
export function gridSize(space: SearchSpace, options: GridOptions): number {
  return cellsOf(gridAxes(space, options));
}

/**
 * The parameters of one cell, counted from 0 on; undefined beyond the last.
 *
 * The values of the first parameter, by the order of checkParams, change last, those of what stands on it before.
 */
export function sampleGrid(space: SearchSpace, options: GridOptions, cell: number): TrialParams | undefined {
  const axes = gridAxes(space, options);
  if (cell >= cellsOf(axes)) return undefined;
  const chosen: Record<string, ParamValue> = {};
  choose(axes, cell, chosen);
  const params: Record<string, ParamValue> = {};
  for (const { name } of orderParams(space)) {
    const value = Object.hasOwn(chosen, name) ? chosen[name] : undefined;
    if (value !== undefined) params[name] = value;
  }
  return params;
}

/** Mixed radix: the last axis is the last digit, and within an axis the number of its children is. */
function choose(axes: readonly Axis[], cell: number, chosen: Record<string, ParamValue>): void {
  let rest = cell;
  for (const axis of axes.toReversed()) {
    let digit = rest % axis.cells;
    rest = Math.floor(rest / axis.cells);
    for (const run of axis.runs) {
      const cells = run.length * run.cellsEach;
      if (digit >= cells) {
        digit -= cells;
        continue;
      }
      chosen[axis.name] = axis.at(run.first + Math.floor(digit / run.cellsEach));
      choose(run.children, digit % run.cellsEach, chosen);
      break;
    }
  }
}

const cellsOf = (axes: readonly Axis[]) => axes.reduce((cells, axis) => atMost(cells * axis.cells), 1);

function gridAxes(space: SearchSpace, options: GridOptions): readonly Axis[] {
  const points = options.points ?? {};
  for (const name of Object.keys(points)) {
    if (!Object.hasOwn(space, name))
      throw wrongPoints('must be of parameters of the search space: leave the others out');
  }
  const ordered = orderParams(space);
  const childrenOf = (name: string | undefined) => ordered.filter(({ param }) => param.when?.param === name);
  const axisOf = ({ name, param }: NamedParam): Axis => {
    const { count, at, indexOf } = axisValues(param, Object.hasOwn(points, name) ? points[name] : undefined);
    const children = childrenOf(name).map((child) => ({
      axis: axisOf(child),
      at: new Set(child.param.when?.in.map(indexOf).filter((index) => index !== undefined)),
    }));
    const runs = runsOf(count, children);
    return { name, count, at, runs, cells: runs.reduce((sum, run) => atMost(sum + run.length * run.cellsEach), 0) };
  };
  return childrenOf(undefined).map(axisOf);
}

interface AxisValues {
  readonly count: number;
  readonly at: (index: number) => ParamValue;
  readonly indexOf: (value: ParamValue) => number | undefined;
}

function axisValues(param: SearchSpaceParam, points: readonly ParamValue[] | undefined): AxisValues {
  if (points === undefined) {
    const count = countValues(param);
    if (count === Number.POSITIVE_INFINITY) {
      throw wrongPoints('must name the values of each parameter whose range has no step: add them, or give it a step');
    }
    return { count, at: (index) => valueAt(param, index), indexOf: (value) => indexOfValue(param, value) };
  }
  if (!points.every((point) => canTake(param, point))) {
    throw wrongPoints('must be values that the search space has for their parameter');
  }
  if (new Set(points).size < points.length) throw wrongPoints('must not hold a value twice: leave one out');
  const at = (index: number) => {
    const point = points[index];
    if (point === undefined) throw new RangeError('An index of a point lies below their count');
    return point;
  };
  return { count: points.length, at, indexOf: (value) => indexAmong(param, points, value) };
}

function indexAmong(param: SearchSpaceParam, points: readonly ParamValue[], value: ParamValue): number | undefined {
  const index = points.findIndex((point) => isSameValue(param, point, value));
  return index < 0 ? undefined : index;
}

interface Child {
  readonly axis: Axis;
  /** Where the condition of the child is true. */
  readonly at: ReadonlySet<number>;
}

/** A value that a condition names is a run of its own; all values between two of them are one. */
function runsOf(count: number, children: readonly Child[]): readonly Run[] {
  const named = [...new Set(children.flatMap(({ at }) => [...at]))].toSorted((a, b) => a - b);
  const runs: Run[] = [];
  let first = 0;
  const bare = (end: number) => {
    if (end > first) runs.push({ first, length: end - first, children: [], cellsEach: 1 });
  };
  for (const index of named) {
    bare(index);
    const active = children.filter(({ at }) => at.has(index)).map(({ axis }) => axis);
    runs.push({ first: index, length: 1, children: active, cellsEach: cellsOf(active) });
    first = index + 1;
  }
  bare(count);
  return runs;
}

function atMost(cells: number): number {
  if (cells <= Number.MAX_SAFE_INTEGER) return cells;
  throw wrongPoints('must make fewer cells than 2^53: name fewer values, or take another sampler');
}

const wrongPoints = (rule: string) =>
  new DomainError('invalid_input', `The grid's points ${rule}.`, { details: { field: 'sampler.points' } });
