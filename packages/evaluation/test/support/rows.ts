import { mulberry32 } from '@mcp-hub/stats';

/** Rows of a classifier whose scores say something of the labels, the same for a seed. */
export function scoredRows(n: number, seed = 7, skill = 0.5) {
  const random = mulberry32(seed);
  const labels = Array.from({ length: n }, () => (random() < 0.4 ? 1 : 0));
  const scores = Float64Array.from(labels, (label) => skill * label * 0.5 + (1 - skill * 0.5) * random());
  const origin = Array.from({ length: n }, () => ['SFO', 'LAX', 'JFK'][Math.floor(random() * 3)] ?? '');
  return { labels, scores, origin };
}

export const dataset = { name: 'flights', digest: 'sha256:1f' };
