import type { FoundFeatures } from '../ledger/prepare-predictions.ts';
import type { FeaturesOfVersions, QueuedPrediction } from './queued-prediction.ts';

/** The features that a writer has written, by version. */
export interface KnownFeatures {
  readonly byVersion: FeaturesOfVersions;
  learn(rows: readonly QueuedPrediction[]): void;
}

export function createKnownFeatures(): KnownFeatures {
  const byVersion = new Map<string, FoundFeatures>();
  return {
    byVersion,
    learn: (rows) => {
      for (const { versionKey, prediction } of rows) {
        let known = byVersion.get(versionKey);
        if (known === undefined) {
          known = new Map();
          byVersion.set(versionKey, known);
        }
        for (const name in prediction.features) {
          const value = prediction.features[name];
          if (value === null || value === undefined || known.has(name)) continue;
          known.set(name, { kind: typeof value === 'number' ? 'number' : 'category', index: 0 });
        }
      }
    },
  };
}
