import { createHash } from 'node:crypto';
import { type FeatureList, recentDelayFeatures, timetableFeatures } from './features.ts';
import type { Flight } from './flights.ts';
import { areaUnderCurve, fitLogistic, type LogisticModel } from './logistic-regression.ts';

/** A fitted version: its artifact as bytes, and what is known of it. */
export interface FittedVersion {
  readonly version: string;
  readonly description: string;
  readonly model: LogisticModel;
  readonly artifact: Buffer;
  /** sha256 of the artifact, hex. */
  readonly digest: string;
  /** On the flights of March, which it was not fitted on. */
  readonly heldBackAuc: number;
}

const heldBackFrom = Date.UTC(2001, 2, 1);

/** Two versions of the classifier of one airport group: fitted on January and February, held against March. */
export function fitLateArrivalModels(flights: readonly Flight[]): readonly FittedVersion[] {
  return [
    fitVersion('1', 'logistic regression on the timetable', timetableFeatures, flights),
    fitVersion('2', 'as 1, with the recent delays of the airport', recentDelayFeatures, flights),
  ];
}

function fitVersion(
  version: string,
  description: string,
  featureList: FeatureList,
  flights: readonly Flight[],
): FittedVersion {
  const examples = featureList.of(flights);
  const isHeldBack = (index: number) => (flights[index]?.departure.getTime() ?? 0) >= heldBackFrom;
  const model = fitLogistic(
    examples.filter((_, index) => !isHeldBack(index)),
    { featureNames: featureList.names, epochs: 300, learningRate: 1, seed: 2001 },
  );
  const artifact = Buffer.from(JSON.stringify(model));
  return {
    version,
    description,
    model,
    artifact,
    digest: createHash('sha256').update(artifact).digest('hex'),
    heldBackAuc: areaUnderCurve(
      model,
      examples.filter((_, index) => isHeldBack(index)),
    ),
  };
}
