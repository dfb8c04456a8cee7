import { binomial } from '../distributions/binomial.ts';
import { chiSquare } from '../distributions/chi-square.ts';
import { requireCount, requireSameLength } from '../inputs.ts';
import { defined, type Outcome, undefinedBecause } from '../outcome.ts';

/** Rows on which two classifiers differ. */
export interface DiscordantCounts {
  readonly onlyFirstRight: number;
  readonly onlySecondRight: number;
}

/** A statistic with its two-sided p. */
export interface StatisticWithP {
  readonly statistic: number;
  readonly p: number;
}

/** McNemar's test in its forms. Below 25 discordant rows the exact one is to be reported, or mid-p, which is less strict. */
export interface McNemarTest {
  readonly discordant: number;
  /** Binomial; the statistic is the smaller count. 1 where no rows differ. */
  readonly exact: StatisticWithP;
  readonly midP: number;
  /** (b - c)² / (b + c); undefined where no rows differ. */
  readonly chiSquare: Outcome<StatisticWithP>;
  /** (|b - c| - 1)² / (b + c) (Edwards). */
  readonly continuityCorrected: Outcome<StatisticWithP>;
}

/** McNemar's test (1947) that two classifiers err equally often on the same rows; mid-p by Fagerland et al. (2013). */
export function mcNemarTest({ onlyFirstRight, onlySecondRight }: DiscordantCounts): McNemarTest {
  requireCount('onlyFirstRight', onlyFirstRight);
  requireCount('onlySecondRight', onlySecondRight);
  const discordant = onlyFirstRight + onlySecondRight;
  const statistic = Math.min(onlyFirstRight, onlySecondRight);
  if (discordant === 0) {
    const none = undefinedBecause('The classifiers are right on the same rows.');
    return { discordant, exact: { statistic, p: 1 }, midP: 1, chiSquare: none, continuityCorrected: none };
  }
  const half = binomial(discordant, 0.5);
  const exact = Math.min(1, 2 * half.cdf(statistic));
  const distance = Math.abs(onlyFirstRight - onlySecondRight);
  const approximate = (reach: number) => {
    const square = reach * (reach / discordant);
    return defined({ statistic: square, p: chiSquare(1).sf(square) });
  };
  return {
    discordant,
    exact: { statistic, p: exact },
    midP: exact - half.density(statistic),
    chiSquare: approximate(distance),
    continuityCorrected: approximate(Math.max(0, distance - 1)),
  };
}

/** The rows on which exactly one of two predictions is the true class. */
export function discordantCounts<L>(input: {
  readonly actual: ArrayLike<L>;
  readonly first: ArrayLike<L>;
  readonly second: ArrayLike<L>;
}): DiscordantCounts {
  const { actual, first, second } = input;
  requireSameLength('actual', actual, 'first', first);
  requireSameLength('actual', actual, 'second', second);
  let onlyFirstRight = 0;
  let onlySecondRight = 0;
  for (let i = 0; i < actual.length; i++) {
    const [firstRight, secondRight] = [first[i] === actual[i], second[i] === actual[i]];
    if (firstRight && !secondRight) onlyFirstRight++;
    if (secondRight && !firstRight) onlySecondRight++;
  }
  return { onlyFirstRight, onlySecondRight };
}
