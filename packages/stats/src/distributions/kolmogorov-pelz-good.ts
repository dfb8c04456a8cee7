const pi2 = Math.PI ** 2;

/**
 * P(D_n <= d) by the expansion of Pelz and Good (1976): K0(z) + K1(z)/√n + K2(z)/n + K3(z)/n^1.5 with z = d √n, each
 * summed in its theta transform.
 */
export function pelzGood(n: number, d: number): number {
  const z = Math.sqrt(n) * d;
  const [z2, z4, z6] = [z ** 2, z ** 4, z ** 6];
  let k0 = 0;
  let k1 = 0;
  let k2 = 0;
  let k3 = 0;
  const terms = Math.ceil((16 * z) / Math.PI);
  for (let k = terms; k >= 1; k--) {
    const s = (2 * k - 1) ** 2;
    const weight = Math.exp((-pi2 * s) / (8 * z2));
    k0 += weight;
    k1 += weight * (-z2 + (pi2 / 4) * s);
    k2 += weight * (6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * pi2 * s) / 4 + (pi2 ** 2 * (1 - 2 * z2) * s ** 2) / 16);
    k3 +=
      weight *
      (-30 * z6 -
        90 * z ** 8 +
        (pi2 * (135 * z4 - 96 * z6) * s) / 4 +
        (pi2 ** 2 * (-60 * z2 + 212 * z4) * s ** 2) / 16 +
        (pi2 ** 3 * (5 - 30 * z2) * s ** 3) / 64);
  }
  const root = Math.sqrt(2 * Math.PI);
  let extra2 = 0;
  let extra3 = 0;
  for (let k = terms; k >= 1; k--) {
    const weight = k * k * Math.exp((-pi2 * k * k) / (2 * z2));
    extra2 += weight;
    extra3 += weight * (3 * z2 - pi2 * k * k);
  }
  return (
    root *
    (k0 / z +
      k1 / (6 * z4) / Math.sqrt(n) +
      (k2 / (72 * z ** 7) - (pi2 * extra2) / (36 * z ** 3)) / n +
      (k3 / (6480 * z ** 10) + (pi2 * extra3) / (216 * z6)) / n ** 1.5)
  );
}
