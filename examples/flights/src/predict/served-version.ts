import type { LogisticModel } from '../logistic-regression.ts';

/** The version that is in production, with the model of its artifact. */
export interface ServedVersion {
  readonly versionId: string;
  readonly version: string;
  readonly model: LogisticModel;
}
