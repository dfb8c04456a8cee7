import { mulberry32 } from '../resampling/mulberry32.ts';

/**
 * Draws how counts would have fallen to two samples if both were of one distribution: given the totals of the bins, each
 * way to split the values is as likely as any other (the multivariate hypergeometric distribution; Fisher 1935). So a
 * statistic's rank among its draws is an exact p value, whatever the distribution was and however few the values are.
 *
 * `use` gets the counts of both sides in arrays that are filled anew.
 */
export function drawSplits(
  { totals, n, m }: { readonly totals: readonly number[]; readonly n: number; readonly m: number },
  { draws, seed }: { readonly draws: number; readonly seed: number },
  use: (reference: Float64Array, current: Float64Array) => void,
): void {
  const random = mulberry32(seed);
  const reference = new Float64Array(totals.length);
  const current = new Float64Array(totals.length);
  for (let draw = 0; draw < draws; draw++) {
    let left = n + m;
    let wanted = m;
    for (let i = 0; i < totals.length; i++) {
      const total = totals[i] ?? 0;
      const taken = left === total ? wanted : hypergeometric(random, total, left, wanted);
      current[i] = taken;
      reference[i] = total - taken;
      left -= total;
      wanted -= taken;
    }
    use(reference, current);
  }
}

/** From this deviation on the distribution is normal to some 1e-3 of itself. */
const NORMAL_FROM = 60;

/** How many of `marked` of `all` are among `drawn`. */
function hypergeometric(random: () => number, marked: number, all: number, drawn: number): number {
  const [least, most] = [Math.max(0, drawn + marked - all), Math.min(drawn, marked)];
  if (least === most) return least;
  const share = marked / all;
  const mean = drawn * share;
  const deviation = Math.sqrt((mean * (1 - share) * (all - drawn)) / (all - 1));
  if (deviation > NORMAL_FROM) {
    // Box and Muller; the first number is moved away from 0.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(most, Math.max(least, Math.round(mean + deviation * normal)));
  }
  // By inversion from the mode outwards, so that it takes some deviations of steps.
  const mode = Math.min(most, Math.max(least, Math.floor(((drawn + 1) * (marked + 1)) / (all + 2))));
  const atMode = Math.exp(logChoose(marked, mode) + logChoose(all - marked, drawn - mode) - logChoose(all, drawn));
  let rest = random() - atMode;
  let [above, below] = [mode, mode];
  let [pAbove, pBelow] = [atMode, atMode];
  while (rest > 0 && (above < most || below > least)) {
    if (above < most) {
      pAbove *= ((marked - above) / (above + 1)) * ((drawn - above) / (all - marked - drawn + above + 1));
      above += 1;
      rest -= pAbove;
      if (rest <= 0) return above;
    }
    if (below > least) {
      pBelow *= (below / (marked - below + 1)) * ((all - marked - drawn + below) / (drawn - below + 1));
      below -= 1;
      rest -= pBelow;
      if (rest <= 0) return below;
    }
  }
  return mode;
}

const logFactorials = new Float64Array(256);
for (let k = 2; k < logFactorials.length; k++) logFactorials[k] = (logFactorials[k - 1] ?? 0) + Math.log(k);

function logFactorial(k: number): number {
  if (k < logFactorials.length) return logFactorials[k] ?? 0;
  // Stirling's series, to 1e-13 from 256 on.
  return (k + 0.5) * Math.log(k) - k + 0.9189385332046728 + (1 / 12 - 1 / (360 * k * k)) / k;
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}
