import type { PrunerOptions } from '../../src/index.ts';

/** A trial as a pruner knows it, plainly. */
export interface PlainTrial {
  state: 'running' | 'complete' | 'pruned' | 'failed';
  /** Step to value. */
  readonly values: Map<number, number>;
  /** What it came to each rung with. */
  readonly rungs: number[];
}

/** Whether the trial, which has just reported, should end: the rules of Optuna's pruners, written out. */
export function shouldPrune(
  options: PrunerOptions,
  direction: 'minimize' | 'maximize',
  trials: readonly PlainTrial[],
  trial: PlainTrial,
): boolean {
  return options.kind === 'asha'
    ? climbs(options, direction, trials, trial)
    : isWorse(options, direction, trials, trial);
}

function isWorse(
  options: Exclude<PrunerOptions, { kind: 'asha' }>,
  direction: 'minimize' | 'maximize',
  trials: readonly PlainTrial[],
  trial: PlainTrial,
): boolean {
  const { startupTrials = 5, warmupSteps = 0, intervalSteps = 1, minTrials = 1 } = options;
  const complete = trials.filter(({ state }) => state === 'complete');
  if (complete.length === 0 || complete.length < startupTrials) return false;
  const steps = [...trial.values.keys()];
  const step = Math.max(...steps);
  if (step < warmupSteps) return false;
  const before = Math.max(-1, ...steps.filter((one) => one !== step));
  if (before >= Math.floor((step - warmupSteps) / intervalSteps) * intervalSteps + warmupSteps) return false;
  const own = [...trial.values.values()].filter((value) => !Number.isNaN(value));
  if (own.length === 0) return true;
  const others = complete.flatMap(({ values }) => values.get(step) ?? []);
  const numbers = others.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (others.length < minTrials || numbers.length === 0) return false;
  const percentile = options.kind === 'median' ? 50 : options.percentile;
  const place = ((direction === 'maximize' ? 100 - percentile : percentile) / 100) * (numbers.length - 1);
  const low = numbers[Math.floor(place)] ?? Number.NaN;
  const high = numbers[Math.ceil(place)] ?? Number.NaN;
  // A value of its own where there is one there, also an infinite one, which has no difference from itself.
  const worst = Number.isInteger(place) ? low : low + (place - Math.floor(place)) * (high - low);
  return direction === 'maximize' ? Math.max(...own) < worst : Math.min(...own) > worst;
}

function climbs(
  options: Extract<PrunerOptions, { kind: 'asha' }>,
  direction: 'minimize' | 'maximize',
  trials: readonly PlainTrial[],
  trial: PlainTrial,
): boolean {
  const { minResource = 1, reductionFactor = 4, minEarlyStoppingRate = 0, bootstrapCount = 0 } = options;
  const step = Math.max(...trial.values.keys());
  const value = trial.values.get(step) ?? Number.NaN;
  const sign = direction === 'maximize' ? -1 : 1;
  for (;;) {
    const rung = trial.rungs.length;
    if (step < minResource * reductionFactor ** (minEarlyStoppingRate + rung)) return false;
    if (Number.isNaN(value)) return true;
    const rivals = trials.filter((one) => one !== trial).flatMap(({ rungs }) => rungs[rung] ?? []);
    trial.rungs.push(value);
    const competing = [...rivals, value].map((one) => sign * one).sort((a, b) => a - b);
    if (competing.length <= bootstrapCount) return true;
    const place = Math.max(Math.floor(competing.length / reductionFactor) - 1, 0);
    if (sign * value > (competing[place] ?? Number.NaN)) return true;
  }
}
