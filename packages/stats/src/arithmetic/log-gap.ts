/**
 * `u - ln(1 + u)` for u > -1, at least 0, without cancellation near 0: the exponent of saddle-point forms.
 *
 * `onePlus` is 1 + u where the caller knows it better than the sum does. With r = u / (2 + u), ln(1 + u) = 2 artanh r,
 * so the gap is u r - 2 r^3 (1/3 + r^2/5 + …), as in rlog1 of TOMS 708 (DiDonato and Morris 1992). Within 4 ulp.
 */
export function logGap(u: number, onePlus = 1 + u): number {
  if (u < -0.5) return u - Math.log(onePlus);
  if (u > 1) return u - Math.log1p(u);
  const r = u / (2 + u);
  const square = r * r;
  let power = 1;
  let series = 0;
  for (let k = 3; k < 60; k += 2) {
    const next = series + power / k;
    if (next === series) break;
    series = next;
    power *= square;
  }
  return r * (u - 2 * square * series);
}
