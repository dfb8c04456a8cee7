import type { FilterNode } from './filter-node.ts';

/** Joins parts by `and` or `or` in canonical form: one part stands alone, parts of the same kind are taken in. */
export function joinNodes(kind: 'and' | 'or', parts: readonly FilterNode[]): FilterNode {
  const flat = parts.flatMap((part): readonly FilterNode[] => {
    if (kind === 'and' && 'and' in part) return part.and;
    if (kind === 'or' && 'or' in part) return part.or;
    return [part];
  });
  const [only] = flat;
  if (flat.length === 1 && only !== undefined) return only;
  return kind === 'and' ? { and: flat } : { or: flat };
}
