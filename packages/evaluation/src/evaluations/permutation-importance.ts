import { DomainError } from '@mcp-hub/db-core';
import { momentsOf, mulberry32, sampleVariance } from '@mcp-hub/stats';
import { withStatsErrors } from '../with-stats-errors.ts';

export interface PermutationImportanceInput<Value> {
  /** One column a feature, one value a row. None is changed. */
  readonly features: Readonly<Record<string, ArrayLike<Value>>>;
  /** The predictions of rows whose columns are given; called once as they are, and for each feature `repeats` times. */
  readonly predict: (
    features: Readonly<Record<string, ArrayLike<Value>>>,
  ) => ArrayLike<number> | Promise<ArrayLike<number>>;
  /** The score of predictions; the greater the better, such as an area under the ROC curve or a negative loss. */
  readonly score: (predictions: ArrayLike<number>) => number;
  /** Of mulberry32. */
  readonly seed: number;
  /** Permutations of each feature. Default 5. */
  readonly repeats?: number;
}

export interface PermutedFeature {
  readonly feature: string;
  /** Mean fall of the score when the feature's values are shuffled. */
  readonly value: number;
  /** Over repeats, as of a sample; null where there is one. */
  readonly std: number | null;
  /** 1 is the most important; ties share the lowest. */
  readonly rank: number;
}

/**
 * How far the score falls when one feature's values are shuffled among the rows (Breiman 2001), the most important first.
 *
 * Shuffles are Fisher and Yates's by mulberry32(seed), features in the order of their names by code unit, so that the same
 * input gives the same numbers. @throws DomainError `invalid_input` for columns of different lengths and scores that are no
 *   numbers.
 */
export async function permutationImportance<Value>(
  input: PermutationImportanceInput<Value>,
): Promise<PermutedFeature[]> {
  const { features, predict, score, seed, repeats = 5 } = input;
  const names = Object.keys(features).sort();
  const rows = features[names[0] ?? '']?.length ?? 0;
  if (names.some((name) => features[name]?.length !== rows)) {
    throw new DomainError('invalid_input', 'features must have columns of the same length, one value a row.');
  }
  if (!(Number.isInteger(repeats) && repeats >= 1)) {
    throw new DomainError('invalid_input', 'repeats must be an integer of at least 1.');
  }
  const scoreOf = async (columns: Readonly<Record<string, ArrayLike<Value>>>): Promise<number> => {
    const found = score(await predict(columns));
    if (Number.isFinite(found)) return found;
    throw new DomainError('invalid_input', 'score must give a finite number.');
  };
  const random = withStatsErrors(() => mulberry32(seed));
  const whole = await scoreOf(features);
  const falls: { readonly feature: string; readonly value: number; readonly std: number | null }[] = [];
  for (const feature of names) {
    const drops: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      drops.push(whole - (await scoreOf({ ...features, [feature]: shuffled(features[feature] ?? [], random) })));
    }
    const moments = momentsOf(drops);
    const variance = sampleVariance(moments).value;
    falls.push({ feature, value: moments.mean, std: variance === null ? null : Math.sqrt(variance) });
  }
  const rank = rankOf(falls.map(({ value }) => value));
  return falls.map((fall) => ({ ...fall, rank: rank(fall.value) })).sort((a, b) => a.rank - b.rank);
}

/** The rank of one of these values, from the greatest; equal ones share the lowest. */
export function rankOf(values: readonly number[]): (value: number) => number {
  const ranks = new Map<number, number>();
  for (const [at, value] of values.toSorted((a, b) => b - a).entries()) if (!ranks.has(value)) ranks.set(value, at + 1);
  return (value) => ranks.get(value) ?? values.length;
}

function shuffled<Value>(values: ArrayLike<Value>, random: () => number): Value[] {
  const order = Uint32Array.from({ length: values.length }, (_, row) => row);
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return Array.from(order, (row) => values[row] as Value);
}
