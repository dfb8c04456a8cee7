import type { TrialParams } from './search-space.ts';

interface Trial {
  readonly number: number;
  /** What the space does not have, or no longer has, is not looked at. */
  readonly params: TrialParams;
}

export interface CompleteTrial extends Trial {
  readonly status: 'complete';
  /** One an objective, in their order. A trial with NaN among them is ranked behind all others. */
  readonly values: readonly number[];
}

export interface PrunedTrial extends Trial {
  readonly status: 'pruned';
  /** What it reported last, for the first objective; null: nothing. */
  readonly last: { readonly step: number; readonly value: number } | null;
}

/** A trial that a sampler learns from. */
export type EndedTrial = CompleteTrial | PrunedTrial;

/** A trial that another worker is at: its outcome is taken to be bad, so that the next one goes elsewhere. */
export interface RunningTrial extends Trial {}
