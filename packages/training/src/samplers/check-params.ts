import { DomainError } from '@mcp-hub/db-core';
import { isActive, orderParams } from './param-order.ts';
import { canTake, writtenValue } from './param-values.ts';
import type { ParamValue, SearchSpace, TrialParams } from './search-space.ts';

interface CheckOptions {
  /** What the input calls them; "params" if not given. */
  readonly field?: string;
}

/**
 * All parameters of a trial, checked against the space and put in its order.
 *
 * @throws DomainError `invalid_input` for the first that is not in the space, that it cannot have this value for, that is
 *   missing although it is active, or given although it is not; `details.position` counts as the parameters were given.
 */
export function checkParams(space: SearchSpace, params: TrialParams, options: CheckOptions = {}): TrialParams {
  const field = options.field ?? 'params';
  const checked = checkFixedParams(space, params, options);
  const decided: Record<string, ParamValue> = {};
  for (const { name, param } of orderParams(space)) {
    const value = Object.hasOwn(checked, name) ? checked[name] : undefined;
    if (isActive(space, param, decided)) {
      if (value === undefined) throw missing(field);
      decided[name] = value;
    } else if (value !== undefined) {
      throw inactive(field, Object.keys(params).indexOf(name));
    }
  }
  return decided;
}

/**
 * Parameters that a trial is to have whatever the sampler says, checked against the space and put in its order.
 *
 * One with a condition on a parameter that is not given with it counts where that condition comes true, and is left
 * out elsewhere.
 *
 * @throws DomainError `invalid_input` as checkParams does, but for parameters that are missing.
 */
export function checkFixedParams(space: SearchSpace, params: TrialParams, options: CheckOptions = {}): TrialParams {
  const field = options.field ?? 'params';
  const positions = new Map(Object.keys(params).map((name, position) => [name, position]));
  for (const [name, position] of positions) {
    const param = Object.hasOwn(space, name) ? space[name] : undefined;
    if (param === undefined) throw wrong(field, position, 'is no parameter of the search space: leave it out');
    const value = params[name];
    if (value === undefined || !canTake(param, value)) {
      throw wrong(field, position, 'is no value that the search space has for this parameter: take one of its values');
    }
    const given = param.when === undefined || Object.hasOwn(params, param.when.param);
    if (given && !isActive(space, param, params)) {
      throw inactive(field, position);
    }
  }
  const ordered: Record<string, ParamValue> = {};
  for (const { name, param } of orderParams(space)) {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value !== undefined) ordered[name] = writtenValue(param, value);
  }
  return ordered;
}

const wrong = (field: string, position: number, rule: string) =>
  new DomainError('invalid_input', `${field}, at position ${position} as given, ${rule}.`, {
    details: { field, position },
  });

const inactive = (field: string, position: number) =>
  wrong(field, position, 'is not active beside the others, by its condition: leave it out');

const missing = (field: string) =>
  new DomainError('invalid_input', `${field} must have a value for each active parameter of the search space.`, {
    details: { field },
  });
