import type { Tails } from './distribution.ts';

// W. J. Cody (1969), "Rational Chebyshev approximation for the error function", in the form of his ANORM (TOMS 715).
const centre = [
  2.2352520354606837, 161.02823106855587, 1067.6894854603709, 18154.98125334356, 0.06568233791820745,
] as const;
const centreBelow = [47.202581904688245, 976.0985517377767, 10260.932208618979, 45507.78933502673] as const;
const middle = [
  0.39894151208813466, 8.883149794388377, 93.50665613217785, 597.2702763948002, 2494.5375852903726, 6848.190450536283,
  11602.65143764735, 9842.714838383978, 1.0765576773720192e-8,
] as const;
const middleBelow = [
  22.266688044328117, 235.387901782625, 1519.3775994075547, 6485.558298266761, 18615.571640885097, 34900.95272114598,
  38912.00328609327, 19685.429676859992,
] as const;
const far = [
  0.215898534057957, 0.12740116116024736, 0.022235277870649807, 0.0014216191932278934, 2.9112874951168793e-5,
  0.023073441764940174,
] as const;
const farBelow = [
  1.284260096144911, 0.4682382124808651, 0.06598813786892856, 0.0037823963320275824, 7.297515550839662e-5,
] as const;
const oneBySqrtTwoPi = 0.3989422804014327;

/** Both tails of the standard normal distribution, each to a few units in the last place down to 1e-308. */
export function standardNormalTails(x: number): Tails {
  const y = Math.abs(x);
  if (y <= 0.67448975) {
    const square = y > 1.11e-16 ? x * x : 0;
    let above = centre[4] * square;
    let below = square;
    for (let i = 0; i < 3; i++) {
      above = (above + (centre[i] ?? 0)) * square;
      below = (below + (centreBelow[i] ?? 0)) * square;
    }
    const half = (x * (above + centre[3])) / (below + centreBelow[3]);
    return { lower: 0.5 + half, upper: 0.5 - half };
  }
  const tail = y <= Math.sqrt(32) ? middleTail(y) : farTail(y);
  return x > 0 ? { lower: 1 - tail, upper: tail } : { lower: tail, upper: 1 - tail };
}

function middleTail(y: number): number {
  let above = middle[8] * y;
  let below = y;
  for (let i = 0; i < 7; i++) {
    above = (above + (middle[i] ?? 0)) * y;
    below = (below + (middleBelow[i] ?? 0)) * y;
  }
  return (bell(y) * (above + middle[7])) / (below + middleBelow[7]);
}

function farTail(y: number): number {
  if (y > 38.6) return 0;
  const square = 1 / (y * y);
  let above = far[5] * square;
  let below = square;
  for (let i = 0; i < 4; i++) {
    above = (above + (far[i] ?? 0)) * square;
    below = (below + (farBelow[i] ?? 0)) * square;
  }
  const rest = (square * (above + far[4])) / (below + farBelow[4]);
  return (bell(y) * (oneBySqrtTwoPi - rest)) / y;
}

/** exp(-y^2 / 2) with y split at a sixteenth, so that the square of the first part is exact. */
function bell(y: number): number {
  const cut = Math.trunc(y * 16) / 16;
  const rest = (y - cut) * (y + cut);
  return Math.exp(-cut * cut * 0.5) * Math.exp(-rest * 0.5);
}
