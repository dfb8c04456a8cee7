/** Limits of monitoring. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const MONITORING_LIMITS = {
  /** Of the name of a baseline or rule. */
  nameLength: 250,
} as const;
