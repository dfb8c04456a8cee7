import { sampleOfSuccesses, welchTest } from '@mcp-hub/stats';
import { clicksOfViews, historyCorrelation, normals, quantileOf, sourceOf, withHistory } from './draws.ts';
import { about, atLeast, type Finding, meanOf, shareOf } from './finding.ts';
import {
  addUnits,
  comparisonOf,
  definedEffect,
  definitionOf,
  emptyArm,
  metricOf,
  quantileComparison,
} from './judge.ts';

const question = 'Intervals of 95 %: how often they hold the true lift of 5 %';
const alpha = 0.05;
const lift = 1.05;

const within = (lower: number, upper: number) => Number(lower <= lift - 1 && lift - 1 <= upper);

/** Means adjusted by what units did before. */
export function cuped(repetitions: number): readonly Finding[] {
  const setting = `mean with CUPED, correlation ${historyCorrelation}, 1,000 units`;
  const definition = definitionOf({
    alpha,
    plannedUnits: 1_000,
    metrics: [{ ...metricOf('mean'), cupedMs: 86_400_000 }],
  });
  let [adjusted, plain, always] = [0, 0, 0];
  const variances: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const random = sourceOf(setting, repetition);
    const arms = { control: emptyArm(), treatment: emptyArm() };
    addUnits(arms.control, 500, withHistory(random, 1));
    addUnits(arms.treatment, 500, withHistory(random, lift));
    const { comparison, unadjusted } = comparisonOf(definition, arms);
    const withCuped = definedEffect(comparison, 'relative');
    const without = definedEffect(unadjusted, 'relative');
    adjusted += within(withCuped.lower, withCuped.upper);
    always += within(withCuped.validLower, withCuped.validUpper);
    plain += within(without.lower, without.upper);
    variances.push((withCuped.standardError / without.standardError) ** 2);
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
    const metrics = [{ ...metricOf('quantile'), quantile: level }];
    const definition = definitionOf({ alpha, plannedUnits: 4_000, metrics });
    let held = 0;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const normal = normals(sourceOf(setting, repetition));
      const latencies = (factor: number) =>
        Float64Array.from({ length: 2_000 }, () => factor * 100 * Math.exp(normal()));
      const found = quantileComparison(definition, {
        control: quantileOf(latencies(1), level),
        treatment: quantileOf(latencies(lift), level),
      });
      const { lower, upper } = definedEffect(found.comparison, 'relative');
      held += within(lower, upper);
    }
    return { about: question, setting, figure: 'fixed', ...shareOf(held, repetitions), stated: about(1 - alpha, 0.01) };
  });
}

/** Clicks over views, by units and, for comparison, as if each view were independent. */
export function ratios(repetitions: number): readonly Finding[] {
  const setting = 'ratio, clicks over views, 2,000 units';
  const definition = definitionOf({ alpha, plannedUnits: 2_000, metrics: [metricOf('ratio')] });
  let [byUnits, byViews, always] = [0, 0, 0];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const random = sourceOf(setting, repetition);
    const arms = { control: emptyArm(), treatment: emptyArm() };
    addUnits(arms.control, 1_000, clicksOfViews(random, 1));
    addUnits(arms.treatment, 1_000, clicksOfViews(random, lift));
    const seen = definedEffect(comparisonOf(definition, arms).comparison, 'relative');
    byUnits += within(seen.lower, seen.upper);
    always += within(seen.validLower, seen.validUpper);
    const viewsOf = ({ sumX, sumY }: typeof arms.control) => sampleOfSuccesses({ n: sumX, successes: sumY });
    const views = welchTest({
      ...{ control: viewsOf(arms.control), treatment: viewsOf(arms.treatment) },
      ...{ difference: 'relative', alpha },
    });
    const [lower, upper] = views.value?.interval ?? [1, 0];
    byViews += within(lower, upper);
  }
  const row = { about: question, setting };
  return [
    { ...row, figure: 'by units', ...shareOf(byUnits, repetitions), stated: about(1 - alpha, 0.01) },
    { ...row, figure: 'by units, always valid', ...shareOf(always, repetitions), stated: atLeast(1 - alpha) },
    { ...row, figure: 'as if views were independent', ...shareOf(byViews, repetitions), stated: null },
  ];
}
