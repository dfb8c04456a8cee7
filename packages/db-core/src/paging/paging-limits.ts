/** Limits of ordered pages. Each one is named in the error that enforces it. */
export const PAGING_LIMITS = {
  /** Rows of a page when the caller names no limit. */
  defaultLimit: 100,
  /** Rows of a page at most, where the function itself allows no more. */
  maxLimit: 1_000,
  /** Fields that one order may name. */
  orderTerms: 5,
  /** Characters of an order given as text. */
  orderTextLength: 2_000,
  /** Characters of a cursor; it holds the sort values of one row, of which a tag's may have 8,000 characters. */
  cursorLength: 65_536,
} as const;
