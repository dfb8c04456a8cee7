/** Version of the rules of `decide`. Raise it with each change of what they answer: a test holds it against decisions. */
export const DECISION_VERSION = 1;

/**
 * `ship` a treatment, `keep` the control, `stop` for harm, or `continue`.
 */
export const decisionVerdicts = ['ship', 'keep', 'stop', 'continue'] as const;
export type DecisionVerdict = (typeof decisionVerdicts)[number];

export const decisionReasons = [
  'no_primary',
  'health_failed',
  'too_few_units',
  'sample_not_reached',
  'looked_at_again',
  'primary_better',
  'primary_worse',
  'primary_undecided',
  'primary_undefined',
  'effect_excluded',
  'guardrail_harmed',
  'guardrail_undecided',
  'guardrail_kept',
  'secondary_differs',
  'experiment_over',
] as const;
export type DecisionReasonCode = (typeof decisionReasons)[number];

/** Why a decision is what it is. */
export interface DecisionReason {
  readonly because: DecisionReasonCode;
  /** In words and numbers. */
  readonly text: string;
  /** Where it is of one metric. */
  readonly metricKey?: string;
}

/** What is said of one treatment. */
export interface TreatmentDecision {
  readonly variantId: string;
  readonly variantKey: string;
  readonly verdict: DecisionVerdict;
  readonly reasons: readonly DecisionReason[];
}

/** What to do with an experiment. */
export interface Decision {
  readonly codeVersion: number;
  readonly verdict: DecisionVerdict;
  /** What is shipped, or does harm; null where the control is kept and where nothing is decided. */
  readonly variantId: string | null;
  /** What holds for all treatments. */
  readonly reasons: readonly DecisionReason[];
  /** In the definition's order. */
  readonly treatments: readonly TreatmentDecision[];
}
