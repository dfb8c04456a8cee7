/** What it costs, in one unit, to warn of a flight that is punctual, and not to warn of one that is late. */
export const costs = { falsePositive: 1, falseNegative: 4 } as const;

/** From this probability on a warning costs less than none, where probabilities are what they say. */
export const LATE_FROM = costs.falsePositive / (costs.falsePositive + costs.falseNegative);
