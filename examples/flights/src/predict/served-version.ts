import type { LogisticModel } from '../logistic-regression.ts';

/** The version that is in production, with the model of its artifact. */
export interface ServedVersion {
  readonly versionId: string;
  readonly version: string;
  readonly model: LogisticModel;
}

/** How far the month is; waited for. */
export type OnStep = (step: 'asked' | 'submitted' | 'claimed' | 'predicted' | 'delivered') => Promise<void> | undefined;
