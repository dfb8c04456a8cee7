import type { Id } from '@mcp-hub/db-core';
import { bucketRanges, type Reallocation, reallocate } from '@mcp-hub/stats';
import type { VariantRange } from './schema.ts';

interface Shares {
  /** In the order of their positions. */
  readonly variantIds: readonly Id<'Variant'>[];
  readonly weights: readonly number[];
  readonly coverage: number;
}

/** The ranges of an experiment that has none yet: GrowthBook's, one a variant that takes any. */
export function layOutRanges({ variantIds, weights, coverage }: Shares): readonly VariantRange[] {
  return bucketRanges({ variants: variantIds.length, weights, coverage }).flatMap(([start, end], at) => {
    const variantId = variantIds[at];
    return variantId === undefined || !(end > start) ? [] : [{ variantId, start, end }];
  });
}

/** As reallocate of stats, by the variants' ids. */
export function moveRanges(
  before: readonly VariantRange[],
  { variantIds, weights, coverage }: Shares,
): { readonly ranges: readonly VariantRange[] } & Pick<Reallocation, 'moved' | 'isSdkCompatible'> {
  const { ranges, moved, isSdkCompatible } = reallocate({
    allocation: before.map(({ variantId, start, end }) => ({
      variant: variantIds.indexOf(variantId),
      range: [start, end],
    })),
    weights,
    coverage,
  });
  const named = ranges.flatMap(({ variant, range: [start, end] }) => {
    const variantId = variantIds[variant];
    return variantId === undefined ? [] : [{ variantId, start, end }];
  });
  return { ranges: named, moved, isSdkCompatible };
}
