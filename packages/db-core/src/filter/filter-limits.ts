/**
 * Limits of filters. Each one is named in the error that enforces it.
 *
 * They bound the work of one request, not what a user may sensibly ask: a list of a thousand ids fits, and so does a
 * filter that a program wrote. Lists are bound as one array, so that no filter comes near the 65,535 parameters of the
 * protocol.
 */
export const FILTER_LIMITS = {
  /** Characters (UTF-16 code units) of a filter given as text. */
  textLength: 65_536,
  /** Parentheses, NOT, and nested `and`, `or`, `not` objects, one inside the other. */
  depth: 32,
  /** Comparisons in one filter. */
  comparisons: 100,
  /** Values in one IN or NOT IN list. */
  listSize: 1_000,
  /** Characters of a key, as in `tags.<key>`. */
  keyLength: 250,
  /** Characters of one string value. */
  valueLength: 8_000,
} as const;
