import type { FoundFeatures } from '../ledger/prepare-predictions.ts';
import { PREDICTION_LIMITS } from '../limits.ts';

/** Versions and names of features that have passed the schema: what names them again need not. */
export interface KnownFeatures {
  /** undefined for a version that was not named yet. */
  of(versionKey: string): FoundFeatures | undefined;
  learn(versionKey: string, features: FoundFeatures): void;
}

const VERSIONS = 1_000;

export function createKnownFeatures(): KnownFeatures {
  const byVersion = new Map<string, FoundFeatures>();
  return {
    of: (versionKey) => byVersion.get(versionKey),
    learn: (versionKey, features) => {
      let known = byVersion.get(versionKey);
      // More than a ledger takes will be refused; begun anew, so that nothing grows with what callers make up.
      if (known === undefined || known.size > 2 * PREDICTION_LIMITS.features) {
        if (byVersion.size >= VERSIONS) byVersion.clear();
        known = new Map();
        byVersion.set(versionKey, known);
      }
      // The last kind holds: where an earlier one was refused, the others are plain again.
      for (const [name, found] of features) known.set(name, found);
    },
  };
}
