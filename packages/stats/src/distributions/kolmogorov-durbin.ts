// Rescaled by powers of two, which are exact.
const big = 2 ** 400;

/**
 * P(D_n <= d) as an element of the n-th power of Durbin's matrix, by Marsaglia, Tsang and Wang (2003).
 *
 * Takes (2 ⌈n d⌉)³ log n steps: for small n d.
 */
export function durbinMatrix(n: number, d: number): number {
  const k = Math.ceil(n * d);
  const h = k - n * d;
  const m = 2 * k - 1;
  let base = durbin(m, h);
  let baseScale = 0;
  let power: Float64Array | undefined;
  let scale = 0;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      power = power === undefined ? base : product(power, base, m);
      scale += baseScale;
      if (centre(power, m, k) > big) {
        power = power.map((value) => value / big);
        scale++;
      }
    }
    base = product(base, base, m);
    baseScale *= 2;
    if (centre(base, m, k) > big) {
      base = base.map((value) => value / big);
      baseScale++;
    }
  }
  let p = power === undefined ? 0 : centre(power, m, k);
  for (let i = 1; i <= n; i++) {
    p *= i / n;
    if (p < 1 / big) {
      p *= big;
      scale--;
    }
  }
  return p * big ** scale;
}

function durbin(m: number, h: number): Float64Array {
  const matrix = new Float64Array(m * m);
  const inverseFactorial = [1];
  for (let i = 1; i <= m; i++) inverseFactorial.push((inverseFactorial[i - 1] ?? 0) / i);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      if (i - j + 1 < 0) continue;
      let value = 1;
      if (j === 0) value -= h ** (i + 1);
      if (i === m - 1) value -= h ** (m - j);
      if (i === m - 1 && j === 0) value += Math.max(0, 2 * h - 1) ** m;
      matrix[i * m + j] = value * (inverseFactorial[i - j + 1] ?? 0);
    }
  }
  return matrix;
}

function centre(matrix: Float64Array, m: number, k: number): number {
  return matrix[(k - 1) * m + k - 1] ?? 0;
}

function product(a: Float64Array, b: Float64Array, m: number): Float64Array {
  const result = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < m; l++) {
      const factor = a[i * m + l] ?? 0;
      if (factor === 0) continue;
      for (let j = 0; j < m; j++) result[i * m + j] = (result[i * m + j] ?? 0) + factor * (b[l * m + j] ?? 0);
    }
  }
  return result;
}
