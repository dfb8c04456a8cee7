import { type NamedParam, orderParams } from '../param-order.ts';
import type { SearchSpace } from '../search-space.ts';

/**
 * The parameters that are drawn together: those that stand under the same condition, and so are active in the same trials;
 * each by itself where they are not to be drawn together. A group comes after what its condition stands on.
 */
export function groupParams(space: SearchSpace, together: boolean): readonly (readonly NamedParam[])[] {
  const groups = new Map<string, NamedParam[]>();
  for (const named of orderParams(space)) {
    const { when } = named.param;
    const key = together ? JSON.stringify(when === undefined ? null : [when.param, when.in]) : named.name;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [named]);
    else group.push(named);
  }
  return [...groups.values()];
}
