import { type Arms, type Difference, type Sample, sampleOfSuccesses, sampleOfSums } from '../../../src/index.ts';

/** An arm as case files write it. */
type CaseArm =
  | { readonly n: number; readonly sum: number; readonly sum_squares: number }
  | { readonly n: number; readonly successes: number }
  | { readonly n: number; readonly mean: number; readonly variance: number };

export interface CaseArms {
  readonly control: CaseArm;
  readonly treatment: CaseArm;
  readonly alpha?: number;
  readonly difference?: Difference;
}

export function armsOf({ control, treatment }: Pick<CaseArms, 'control' | 'treatment'>): Arms {
  return { control: sampleOf(control), treatment: sampleOf(treatment) };
}

function sampleOf(arm: CaseArm): Sample {
  if ('successes' in arm) return sampleOfSuccesses(arm);
  if ('mean' in arm) return arm;
  return sampleOfSums({ n: arm.n, sum: arm.sum, sumSquares: arm.sum_squares });
}
