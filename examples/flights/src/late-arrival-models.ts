import { createHash } from 'node:crypto';
import { type FeatureList, recentDelayFeatures, timetableFeatures } from './features.ts';
import type { Flight } from './flights.ts';
import { areaUnderCurve, type Epoch, fitLogistic, type LogisticModel, predictLate } from './logistic-regression.ts';

export const modelName = 'late-arrival';

/** A version of the classifier as it is to be fitted. */
export interface VersionPlan {
  readonly version: string;
  readonly description: string;
  readonly features: FeatureList;
  readonly epochs: number;
  readonly learningRate: number;
  /** Of the starting weights. */
  readonly seed: number;
}

/** The versions that were thought of; what the study finds is the third. */
export const plannedVersions: readonly [VersionPlan, VersionPlan] = [
  {
    version: '1',
    description: 'logistic regression on the timetable',
    features: timetableFeatures,
    epochs: 300,
    learningRate: 1,
    seed: 2001,
  },
  {
    version: '2',
    description: 'as 1, with the recent delays of the airport',
    features: recentDelayFeatures(0.1),
    epochs: 300,
    learningRate: 1,
    seed: 2001,
  },
];

/** A file that a run has put out. */
interface OutputFile {
  readonly path: string;
  readonly kind: 'model' | 'scores';
  readonly content: Buffer;
  /** Of the content, hex. */
  readonly sha256: string;
}

/** A flight of the days that no version is fitted on, with what a version says of it. */
export interface ScoredFlight {
  readonly flight: Flight;
  readonly features: Float64Array;
  readonly late: boolean;
  /** The probability that it is late, 0 to 1. */
  readonly score: number;
}

/** A fitted version: its files, and what is known of it. */
export interface FittedVersion {
  readonly version: string;
  readonly description: string;
  readonly model: LogisticModel;
  /** The model as JSON: the version's artifact. */
  readonly artifact: OutputFile;
  /** What it says of each flight that it was not fitted on. */
  readonly scores: OutputFile;
  /** The same as rows, in order of departure. */
  readonly heldBack: readonly ScoredFlight[];
  readonly heldBackAuc: number;
}

const heldBackFrom = Date.UTC(2001, 2, 1);

/** Fits on January and February, and holds the model against March. `onEpoch` is told the AUC on March too. */
export async function fitVersion(
  plan: VersionPlan,
  flights: readonly Flight[],
  onEpoch?: (epoch: Epoch, heldBackAuc: number) => Promise<void> | undefined,
): Promise<FittedVersion> {
  const examples = plan.features.of(flights);
  const isHeldBack = (index: number) => (flights[index]?.departure.getTime() ?? 0) >= heldBackFrom;
  const heldBack = examples.filter((_, index) => isHeldBack(index));
  const model = await fitLogistic(
    examples.filter((_, index) => !isHeldBack(index)),
    {
      featureNames: plan.features.names,
      epochs: plan.epochs,
      learningRate: plan.learningRate,
      seed: plan.seed,
      onEpoch: onEpoch && ((epoch) => onEpoch(epoch, areaUnderCurve(epoch.model, heldBack))),
    },
  );
  const scored = flights.flatMap((flight, index): readonly ScoredFlight[] => {
    const example = examples[index];
    if (example === undefined || !isHeldBack(index)) return [];
    return [{ flight, ...example, score: predictLate(model, example.features) }];
  });
  const lines = scored.map(({ flight, score, late }) => `${flight.id},${score.toFixed(6)},${Number(late)}\n`);
  return {
    version: plan.version,
    description: plan.description,
    model,
    artifact: outputFile(`${modelName}-${plan.version}.json`, 'model', JSON.stringify(model)),
    scores: outputFile(
      `${modelName}-${plan.version}.march.csv`,
      'scores',
      `flight,probability,late\n${lines.join('')}`,
    ),
    heldBack: scored,
    heldBackAuc: areaUnderCurve(model, heldBack),
  };
}

function outputFile(path: string, kind: OutputFile['kind'], text: string): OutputFile {
  const content = Buffer.from(text);
  return { path, kind, content, sha256: createHash('sha256').update(content).digest('hex') };
}
