import { sum } from '../arithmetic/compensated-sum.ts';
import { refuseOverflow, requireCount, requireFiniteValues, requireNonNegative, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, ratio, undefinedBecause } from '../outcome.ts';

/** One query: its documents with how relevant each is (0 for not at all) and how it was scored. */
export interface RankedQuery {
  readonly relevance: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
}

const noRelevant = 'No document of the query is relevant.';

/**
 * Normalised discounted cumulative gain of the first k documents: Σ relevance / log2(rank + 1) over that of the best order
 * (Järvelin and Kekäläinen 2002, linear gain, as scikit-learn). Documents of equal scores share their mean relevance.
 *
 * Undefined where nothing is relevant.
 */
export function ndcg(query: RankedQuery, k = endOf(query)): Outcome {
  requireCount('k', k, 1);
  const ranked = byScore(query);
  const ideal = ranked.toSorted((a, b) => b.relevance - a.relevance).map(({ relevance }) => relevance);
  const gainOf = (values: readonly number[]) => sum(values.slice(0, k).map((value, i) => value / Math.log2(i + 2)));
  const gains = refuseOverflow({ gain: gainOf(ranked.map(({ shared }) => shared)), best: gainOf(ideal) });
  return ratio(gains.gain, gains.best, noRelevant);
}

/**
 * Average precision of a ranking: the mean over relevant documents of the precision at their rank, for k up to the end.
 *
 * Equal scores keep the order of the input. Undefined where nothing is relevant.
 */
export function rankedAveragePrecision(query: RankedQuery, k = endOf(query)): Outcome {
  requireCount('k', k, 1);
  const ranked = byScore(query);
  const relevant = ranked.filter(({ relevance }) => relevance > 0).length;
  let hits = 0;
  const precisions = ranked.slice(0, k).flatMap(({ relevance }, i) => (relevance > 0 ? [++hits / (i + 1)] : []));
  return ratio(sum(precisions), Math.min(relevant, k), noRelevant);
}

/** 1 / rank of the first relevant document, 0 where it is not among the first k. Undefined where nothing is relevant. */
export function reciprocalRank(query: RankedQuery, k = endOf(query)): Outcome {
  requireCount('k', k, 1);
  const first = byScore(query).findIndex(({ relevance }) => relevance > 0);
  if (first < 0) return undefinedBecause(noRelevant);
  return defined(first < k ? 1 / (first + 1) : 0);
}

/** The mean of a metric over queries that define it, such as MAP and MRR. Undefined where none does. */
export function meanOverQueries(queries: readonly RankedQuery[], metric: (query: RankedQuery) => Outcome): Outcome {
  const values = queries.flatMap((query) => {
    const { value } = metric(query);
    return value === null ? [] : [value];
  });
  return ratio(sum(values), values.length, 'No query has a relevant document.');
}

/** The rank of the last document; 1 for a query without documents, which no metric is defined of. */
function endOf({ scores }: RankedQuery): number {
  return Math.max(1, scores.length);
}

/** Documents by descending score, each with its relevance and the mean relevance of those that score alike. */
function byScore({ relevance, scores }: RankedQuery) {
  requireSameLength('relevance', relevance, 'scores', scores);
  requireFiniteValues('scores', scores);
  const ranked = Array.from(scores, (score, i) => ({
    score,
    relevance: requireNonNegative('relevance', relevance[i] ?? 0),
  }));
  ranked.sort((a, b) => b.score - a.score);
  const groups = new Map<number, { total: number; count: number }>();
  for (const { score, relevance: value } of ranked) {
    const group = groups.get(score) ?? { total: 0, count: 0 };
    groups.set(score, { total: group.total + value, count: group.count + 1 });
  }
  return ranked.map(({ score, relevance: value }) => {
    const { total, count } = groups.get(score) ?? { total: value, count: 1 };
    return { relevance: value, shared: total / count };
  });
}
