import {
  coMomentsOfSums,
  confidenceSequence,
  cupedTest,
  type Difference,
  type Effect,
  type PairSums,
  type Sample,
  sampleOfRatio,
  sampleOfSuccesses,
  sampleOfSums,
  welchTest,
} from '@mcp-hub/stats';
import type { DrawUnit, Unit } from './draws.ts';

export type JudgedKind = 'mean' | 'proportion' | 'ratio' | 'cuped';

export interface Judgement {
  readonly estimate: number;
  readonly standardError: number;
  readonly p: number;
  readonly interval: readonly [lower: number, upper: number];
  readonly alwaysValidP: number;
  readonly alwaysValidInterval: readonly [lower: number, upper: number];
}

/** Sums of an arm, to which units are added in place. */
export type Arm = { -readonly [Key in keyof PairSums]: PairSums[Key] };

export function emptyArm(): Arm {
  return { n: 0, sumX: 0, sumY: 0, sumSquaresX: 0, sumSquaresY: 0, sumProducts: 0 };
}

// Numbers that are no integers from the start, so that the engine keeps them unboxed.
const unit: Unit = { x: 0.5, y: 0.5 };

export function addUnits(arm: Arm, count: number, draw: DrawUnit): void {
  // Sums in variables: fields of an object are written to memory for every unit.
  let { sumX, sumY, sumSquaresX, sumSquaresY, sumProducts } = arm;
  for (let i = 0; i < count; i++) {
    draw(unit);
    const { x, y } = unit;
    sumX += x;
    sumY += y;
    sumSquaresX += x * x;
    sumSquaresY += y * y;
    sumProducts += x * y;
  }
  Object.assign(arm, { n: arm.n + count, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts });
}

export interface JudgeInput {
  readonly kind: JudgedKind;
  readonly control: Arm;
  readonly treatment: Arm;
  readonly difference: Difference;
  readonly alpha: number;
  /** Units of both arms at which the sequential interval is narrowest. */
  readonly plannedUnits: number;
}

/** Fixed and sequential test of one metric at one look; undefined as they are. */
export function judge(input: JudgeInput): Judgement | undefined {
  const { control, treatment, alpha, plannedUnits } = input;
  const fixed = fixedTest(input);
  if (fixed === null) return undefined;
  const effect: Effect = { estimate: fixed.estimate, standardError: fixed.standardError };
  const always = confidenceSequence({ effect, n: control.n + treatment.n, alpha, tuningN: plannedUnits });
  return {
    ...effect,
    ...{ p: fixed.p, interval: fixed.interval },
    ...{ alwaysValidP: always.p, alwaysValidInterval: always.interval },
  };
}

function fixedTest({ kind, control, treatment, difference, alpha }: JudgeInput) {
  if (kind === 'cuped') {
    const arms = { control: coMomentsOfSums(control), treatment: coMomentsOfSums(treatment) };
    return cupedTest({ ...arms, difference, alpha }).value;
  }
  const arms = { control: sampleOf(kind, control), treatment: sampleOf(kind, treatment) };
  return welchTest({ ...arms, difference, alpha }).value;
}

function sampleOf(kind: Exclude<JudgedKind, 'cuped'>, arm: Arm): Sample {
  if (kind === 'proportion') return sampleOfSuccesses({ n: arm.n, successes: arm.sumY });
  if (kind === 'mean') return sampleOfSums({ n: arm.n, sum: arm.sumY, sumSquares: arm.sumSquaresY });
  const sample = sampleOfRatio({
    n: arm.n,
    ...{ numeratorSum: arm.sumY, numeratorSumSquares: arm.sumSquaresY },
    ...{ denominatorSum: arm.sumX, denominatorSumSquares: arm.sumSquaresX },
    sumProducts: arm.sumProducts,
  });
  if (sample.value === null) throw new Error('Each unit has a denominator.');
  return sample.value;
}
