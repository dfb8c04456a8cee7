/** From the mildest. */
export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

export const isWorse = (one: Severity, other: Severity): boolean => severities.indexOf(one) > severities.indexOf(other);

export const worst = (one: Severity, other: Severity): Severity => (isWorse(one, other) ? one : other);

export const mildest = (one: Severity, other: Severity): Severity => (isWorse(one, other) ? other : one);
