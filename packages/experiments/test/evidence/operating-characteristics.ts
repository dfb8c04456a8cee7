import { cuped, quantiles, ratios } from './coverage.ts';
import { decisions } from './decisions.ts';
import { families } from './families.ts';
import type { Finding } from './finding.ts';
import { falsePositives, power } from './looks.ts';
import { sampleRatios } from './sample-ratios.ts';

/** How experiments behave, by simulation: of each kind `share` of the repetitions of the README's tables, which are its beginning. */
export function operatingCharacteristics(share: number): readonly Finding[] {
  const of = (repetitions: number) => Math.ceil(share * repetitions);
  return [
    ...falsePositives(of(3_000)),
    ...power(of(3_000)),
    ...sampleRatios(of(15_000)),
    ...cuped(of(10_000)),
    ...ratios(of(10_000)),
    ...quantiles(of(3_000)),
    ...families(of(700)),
    ...decisions(of(1_200)),
  ];
}
