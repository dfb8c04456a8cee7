/** A function to be made small, and the box it is searched in. As in ../../evidence/optuna_figures.py. */
export interface TestFunction {
  readonly name: 'branin' | 'hartmann6' | 'rosenbrock2' | 'rosenbrock5';
  readonly title: string;
  readonly bounds: readonly (readonly [low: number, high: number])[];
  readonly least: number;
  readonly at: (x: readonly number[]) => number;
}

export const testFunctions: readonly TestFunction[] = [
  {
    name: 'branin',
    title: 'Branin, [-5, 10] × [0, 15]',
    bounds: [
      [-5, 10],
      [0, 15],
    ],
    least: 0.397887,
    at: ([x = 0, y = 0]) =>
      (y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6) ** 2 +
      10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
      10,
  },
  {
    name: 'hartmann6',
    title: 'Hartmann-6, [0, 1]^6',
    bounds: box(6, 0, 1),
    least: -3.322368,
    at: hartmann6,
  },
  {
    name: 'rosenbrock2',
    title: 'Rosenbrock-2, [-5, 10]^2',
    bounds: box(2, -5, 10),
    least: 0,
    at: rosenbrock,
  },
  {
    name: 'rosenbrock5',
    title: 'Rosenbrock-5, [-2.048, 2.048]^5',
    bounds: box(5, -2.048, 2.048),
    least: 0,
    at: rosenbrock,
  },
];

function box(dimensions: number, low: number, high: number): readonly (readonly [number, number])[] {
  return Array.from({ length: dimensions }, () => [low, high] as const);
}

function rosenbrock(x: readonly number[]): number {
  let sum = 0;
  for (const [index, here] of x.entries()) {
    const next = x[index + 1];
    if (next !== undefined) sum += 100 * (next - here ** 2) ** 2 + (1 - here) ** 2;
  }
  return sum;
}

function hartmann6(x: readonly number[]): number {
  const hills = [
    { height: 1, a: [10, 3, 17, 3.5, 1.7, 8], p: [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886] },
    { height: 1.2, a: [0.05, 10, 17, 0.1, 8, 14], p: [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991] },
    { height: 3, a: [3, 3.5, 1.7, 10, 17, 8], p: [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665] },
    { height: 3.2, a: [17, 8, 0.05, 10, 0.1, 14], p: [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381] },
  ];
  return -hills.reduce((sum, { height, a, p }) => {
    const distance = x.reduce((far, here, index) => far + (a[index] ?? 0) * (here - (p[index] ?? 0)) ** 2, 0);
    return sum + height * Math.exp(-distance);
  }, 0);
}
