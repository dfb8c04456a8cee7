import { measureBinary } from '@mcp-hub/evaluation';
import { mulberry32 } from '@mcp-hub/stats';
import { type Sklearn, type SklearnRound, type SklearnWay, startSklearn } from './evaluation-sklearn.ts';
import { type Case, measure } from './measure.ts';
import { printTable } from './report.ts';

const rows = 1_000_000;

/** All that evaluateBinary stores of a million scores in arrays, beside one sort of them and beside scikit-learn. */
export async function benchArrays(): Promise<void> {
  const random = mulberry32(7);
  const labels = Uint8Array.from({ length: rows }, () => (random() < 0.4 ? 1 : 0));
  const scores = Float64Array.from(labels, (label) => 0.3 * label + 0.7 * random());
  const weights = Float64Array.from(labels, () => 0.5 + random());
  const residentBefore = process.resourceUsage().maxRSS;
  const measured = await measure(
    [
      { name: 'one sort of the scores (reference)', run: () => Promise.resolve(Float64Array.from(scores).sort()) },
      {
        name: 'all metrics, curves and intervals',
        aim: '3',
        run: () => Promise.resolve(measureBinary({ labels, scores })),
      },
      { name: 'with weights', run: () => Promise.resolve(measureBinary({ labels, scores, weights })) },
    ],
    { rounds: 9, warmUp: 2 },
  );
  const resident = (process.resourceUsage().maxRSS - residentBefore) / 1_024;
  printTable(
    `From arrays of ${rows} rows; the process grew by ${resident.toFixed(0)} MiB at its peak (aim < 200)`,
    measured.map(({ name, medianMs, ratio, aim }) => ({ name, 'median ms': medianMs, 'beside the sort': ratio, aim })),
  );
  const sklearn = startSklearn(labels, scores);
  if (sklearn === undefined) return;
  try {
    await benchSklearn(sklearn, labels, scores);
  } finally {
    sklearn.end();
  }
}

async function benchSklearn(sklearn: Sklearn, labels: Uint8Array, scores: Float64Array): Promise<void> {
  const ours = new Map(measureBinary({ labels, scores }).metrics.map(({ metric, value }) => [metric, value]));
  const by = (name: string, way: SklearnWay): Case => ({
    name,
    aim: '> 1',
    run: async () => requireAgreement(ours, await sklearn.run(way)),
  });
  const measured = await measure(
    [
      { name: 'all metrics, curves and intervals', run: () => Promise.resolve(measureBinary({ labels, scores })) },
      by('scikit-learn, a function for each metric', 'functions'),
      by('scikit-learn, all of ranks from one curve', 'curve'),
    ],
    { rounds: 7, warmUp: 2 },
  );
  printTable(
    `The same by scikit-learn ${sklearn.version}, without intervals; the numbers agree to ${tolerance}`,
    measured.map(({ name, medianMs, ratio, aim }) => ({ name, 'median ms': medianMs, 'times ours': ratio, aim })),
  );
}

const tolerance = 1e-9;

function requireAgreement(ours: ReadonlyMap<string, number | null>, { numbers }: SklearnRound): void {
  for (const [metric, value] of Object.entries(numbers)) {
    const own = ours.get(metric) ?? Number.NaN;
    if (!(Math.abs(own - value) <= tolerance)) throw new Error(`${metric} is ${own}, by scikit-learn ${value}.`);
  }
}
