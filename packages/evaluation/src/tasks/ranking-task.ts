import { meanOverQueries, ndcg, type RankedQuery, rankedAveragePrecision, reciprocalRank } from '@mcp-hub/stats';
import { metricOf, type Task } from './task.ts';

/** Means over queries of the first k documents. Rows are queries. Intervals by the bootstrap alone. */
export function rankingTask(k: number): Task<readonly RankedQuery[]> {
  return {
    count: (queries) => queries.length,
    weight: (queries) => queries.length,
    take: (queries, numbers) => Array.from(numbers, (row) => queries[row] ?? { relevance: [], scores: [] }),
    metrics: (queries) => [
      metricOf(
        'ndcg',
        meanOverQueries(queries, (query) => ndcg(query, k)),
      ),
      metricOf(
        'map',
        meanOverQueries(queries, (query) => rankedAveragePrecision(query, k)),
      ),
      metricOf(
        'mrr',
        meanOverQueries(queries, (query) => reciprocalRank(query, k)),
      ),
    ],
    cells: () => [],
  };
}
