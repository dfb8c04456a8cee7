import type { CoMoments } from '@mcp-hub/stats';

/** Sums of y and x over units, as decimals. Units that are in none of them are zeros. */
export interface ExactSums {
  readonly n: number;
  readonly y: string;
  readonly yy: string;
  readonly x: string;
  readonly xx: string;
  readonly xy: string;
}

/** A number as an integer and how many of its digits stand behind the point. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/**
 * The co-moments behind exact sums. Σ xy - Σ x Σ y / n loses nothing here, whatever the offset: it is rounded once, at
 * the end.
 */
export function coMomentsOfExactSums({ n, y, yy, x, xx, xy }: ExactSums): CoMoments {
  if (n === 0) return { n: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, cXY: 0 };
  const [sumY, sumX] = [decimalOf(y), decimalOf(x)];
  const count = BigInt(n);
  const central = (products: string, a: Decimal, b: Decimal): number => {
    const of = decimalOf(products);
    const scale = Math.max(of.scale, a.scale + b.scale);
    const whole =
      atScale(of, scale) * count - atScale({ digits: a.digits * b.digits, scale: a.scale + b.scale }, scale);
    return quotient(whole, count * 10n ** BigInt(scale));
  };
  return {
    n,
    meanX: quotient(sumX.digits, count * 10n ** BigInt(sumX.scale)),
    meanY: quotient(sumY.digits, count * 10n ** BigInt(sumY.scale)),
    m2X: central(xx, sumX, sumX),
    m2Y: central(yy, sumY, sumY),
    cXY: central(xy, sumX, sumY),
  };
}

function decimalOf(text: string): Decimal {
  const [whole = '0', fraction = ''] = text.split('.');
  const kept = fraction.replace(/0+$/, '');
  return { digits: BigInt(whole + kept), scale: kept.length };
}

const atScale = ({ digits, scale }: Decimal, wanted: number): bigint => digits * 10n ** BigInt(wanted - scale);

/** The quotient as a number, right to 60 bits before it is rounded. */
function quotient(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const size = numerator < 0n ? -numerator : numerator;
  const shift = BigInt(64 - (size.toString(2).length - denominator.toString(2).length));
  const scaled = shift >= 0n ? (size << shift) / denominator : size / (denominator << -shift);
  // In two steps, because 2^-shift alone may be less than the least number.
  const value = Number(scaled) * 2 ** -64 * 2 ** (64 - Number(shift));
  return numerator < 0n ? -value : value;
}
