import { quantileEffect, sampleOfSuccesses, welchTest } from '@mcp-hub/stats';
import { clicksOfViews, historyCorrelation, normals, quantileOf, sourceOf, withHistory } from './draws.ts';
import { about, atLeast, type Finding, meanOf, shareOf } from './finding.ts';
import { addUnits, emptyArm, judge } from './judge.ts';

const question = 'Intervals of 95 %: how often they hold the true lift of 5 %';
const alpha = 0.05;
const lift = 1.05;

const within = (interval: readonly [number, number] | undefined, value: number) =>
  Number(interval !== undefined && interval[0] <= value && value <= interval[1]);

/** Means adjusted by what units did before. */
export function cuped(repetitions: number): readonly Finding[] {
  const setting = `mean with CUPED, correlation ${historyCorrelation}, 1,000 units`;
  let [adjusted, plain, always] = [0, 0, 0];
  const variances: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const random = sourceOf(setting, repetition);
    const [control, treatment] = [emptyArm(), emptyArm()];
    addUnits(control, 500, withHistory(random, 1));
    addUnits(treatment, 500, withHistory(random, lift));
    const input = { control, treatment, difference: 'relative' as const, alpha, plannedUnits: 1_000 };
    const [withCuped, without] = [judge({ ...input, kind: 'cuped' }), judge({ ...input, kind: 'mean' })];
    adjusted += within(withCuped?.interval, lift - 1);
    always += within(withCuped?.alwaysValidInterval, lift - 1);
    plain += within(without?.interval, lift - 1);
    variances.push(((withCuped?.standardError ?? 0) / (without?.standardError ?? 1)) ** 2);
  }
  const row = { about: question, setting };
  const reduction = meanOf(variances, 'share');
  return [
    { ...row, figure: 'adjusted', ...shareOf(adjusted, repetitions), stated: about(1 - alpha, 0.01) },
    { ...row, figure: 'not adjusted', ...shareOf(plain, repetitions), stated: about(1 - alpha, 0.01) },
    { ...row, figure: 'adjusted, always valid', ...shareOf(always, repetitions), stated: atLeast(1 - alpha) },
    { ...row, figure: 'variance left by the adjustment', ...reduction, stated: about(explained, 0.02) },
  ];
}

/** 1 - ρ² of withHistory, whose history holds a square that says nothing of y: ρ² / (1 + 2 · 0.1²). */
const explained = 1 - historyCorrelation ** 2 / (1 + 2 * 0.1 ** 2);

/** Quantiles of a latency that is log-normal. */
export function quantiles(repetitions: number): readonly Finding[] {
  return [0.5, 0.9, 0.99].map((level): Finding => {
    const setting = `quantile ${level} of log-normal latencies, 4,000 units`;
    let held = 0;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const normal = normals(sourceOf(setting, repetition));
      const latencies = (factor: number) =>
        Float64Array.from({ length: 2_000 }, () => factor * 100 * Math.exp(normal()));
      const effect = quantileEffect({
        ...{ level, alpha, difference: 'relative' },
        control: quantileOf(latencies(1), level),
        treatment: quantileOf(latencies(lift), level),
      });
      held += within(effect.value?.interval, lift - 1);
    }
    return { about: question, setting, figure: 'fixed', ...shareOf(held, repetitions), stated: about(1 - alpha, 0.01) };
  });
}

/** Clicks over views, by units and, for comparison, as if each view were independent. */
export function ratios(repetitions: number): readonly Finding[] {
  const setting = 'ratio, clicks over views, 2,000 units';
  let [byUnits, byViews, always] = [0, 0, 0];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const random = sourceOf(setting, repetition);
    const [control, treatment] = [emptyArm(), emptyArm()];
    addUnits(control, 1_000, clicksOfViews(random, 1));
    addUnits(treatment, 1_000, clicksOfViews(random, lift));
    const seen = judge({ kind: 'ratio', control, treatment, difference: 'relative', alpha, plannedUnits: 2_000 });
    byUnits += within(seen?.interval, lift - 1);
    always += within(seen?.alwaysValidInterval, lift - 1);
    const [ofControl, ofTreatment] = [control, treatment].map((arm) =>
      sampleOfSuccesses({ n: arm.sumX, successes: arm.sumY }),
    );
    if (ofControl === undefined || ofTreatment === undefined) continue;
    const views = welchTest({ control: ofControl, treatment: ofTreatment, difference: 'relative', alpha });
    byViews += within(views.value?.interval, lift - 1);
  }
  const row = { about: question, setting };
  return [
    { ...row, figure: 'by units', ...shareOf(byUnits, repetitions), stated: about(1 - alpha, 0.01) },
    { ...row, figure: 'by units, always valid', ...shareOf(always, repetitions), stated: atLeast(1 - alpha) },
    { ...row, figure: 'as if views were independent', ...shareOf(byViews, repetitions), stated: null },
  ];
}
