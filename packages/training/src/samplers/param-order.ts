import { isSameValue } from './param-values.ts';
import type { SearchSpace, SearchSpaceParam, TrialParams } from './search-space.ts';

export interface NamedParam {
  readonly name: string;
  readonly param: SearchSpaceParam;
  /** How many conditions lead to it; 0: none. */
  readonly depth: number;
}

/**
 * The parameters in the order in which they are decided: those without a condition first, a condition's parameter
 * before what stands on it, else by name. It does not hang on the order in which the space was written.
 */
export function orderParams(space: SearchSpace): readonly NamedParam[] {
  const depthOf = (name: string | undefined): number =>
    name === undefined ? -1 : 1 + depthOf(space[name]?.when?.param);
  return Object.entries(space)
    .map(([name, param]) => ({ name, param, depth: depthOf(name) }))
    .sort((a, b) => a.depth - b.depth || (a.name < b.name ? -1 : 1));
}

/** Whether the condition holds among parameters decided so far. A parameter that is not active has no value in them. */
export function isActive(space: SearchSpace, param: SearchSpaceParam, decided: TrialParams): boolean {
  const { when } = param;
  if (when === undefined) return true;
  const parent = space[when.param];
  const value = Object.hasOwn(decided, when.param) ? decided[when.param] : undefined;
  return parent !== undefined && value !== undefined && when.in.some((named) => isSameValue(parent, named, value));
}

/** The names of the parameters that are active where the others have the values of `params`, in their order. */
export function activeParams(space: SearchSpace, params: TrialParams): readonly string[] {
  const active: Record<string, TrialParams[string]> = {};
  const names: string[] = [];
  for (const { name, param } of orderParams(space)) {
    if (!isActive(space, param, active)) continue;
    names.push(name);
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value !== undefined) active[name] = value;
  }
  return names;
}
