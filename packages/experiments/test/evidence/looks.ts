import { sampleSizeOfTwoMeans, sampleSizeOfTwoProportions } from '@mcp-hub/stats';
import type { MetricKind } from '../../src/index.ts';
import { clicksOfViews, conversions, normalValues, type Population, revenue, sourceOf } from './draws.ts';
import { about, atMost, type Finding, meanOf, shareOf } from './finding.ts';
import { addUnits, comparisonOf, definedEffect, definitionOf, emptyArm, metricOf } from './judge.ts';

const alpha = 0.05;

interface Experiment {
  readonly name: string;
  readonly kind: MetricKind;
  readonly population: Population;
  /** What the treatment multiplies. */
  readonly lift: number;
  /** Units of both arms until the last look. */
  readonly units: number;
  /** Default the units of the last look. */
  readonly plannedUnits?: number;
  readonly looks: number;
  /** Default a third. */
  readonly treatmentShare?: number;
}

interface Looked {
  readonly fixedAtEnd: number;
  readonly fixedAtAny: number;
  readonly sequentialAtAny: number;
  /** How often the fixed interval of the relative lift leaves out 0 at the last look. */
  readonly relativeAtEnd: number;
  /** Units of both arms when a sequential test ended, all where it did not. */
  readonly unitsUsed: readonly number[];
}

/** How often each test finds something at its last look, and at any: by p of the difference, which decides. */
function look(experiment: Experiment, repetitions: number): Looked {
  const { name, kind, population, lift, units, looks, treatmentShare = 0.5 } = experiment;
  const plannedUnits = experiment.plannedUnits ?? units;
  const definition = definitionOf({ alpha, plannedUnits, metrics: [metricOf(kind)], share: treatmentShare });
  const perLook = (share: number) => Math.round((share * units) / looks);
  let [fixedAtEnd, fixedAtAny, sequentialAtAny, relativeAtEnd] = [0, 0, 0, 0];
  const unitsUsed: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const random = sourceOf(name, repetition);
    const [ofControl, ofTreatment] = [population(random, 1), population(random, lift)];
    const arms = { control: emptyArm(), treatment: emptyArm() };
    let [fixed, fixedFound, relative] = [false, false, false];
    let endedAt: number | undefined;
    for (let at = 1; at <= looks; at++) {
      addUnits(arms.control, perLook(1 - treatmentShare), ofControl);
      addUnits(arms.treatment, perLook(treatmentShare), ofTreatment);
      const { comparison } = comparisonOf(definition, arms);
      const { p, validP } = definedEffect(comparison, 'absolute');
      fixed = p < alpha;
      fixedFound ||= fixed;
      const { lower, upper } = definedEffect(comparison, 'relative');
      relative = lower > 0 || upper < 0;
      if (validP < alpha) endedAt ??= arms.control.n + arms.treatment.n;
    }
    fixedAtEnd += Number(fixed);
    fixedAtAny += Number(fixedFound);
    sequentialAtAny += Number(endedAt !== undefined);
    relativeAtEnd += Number(relative);
    unitsUsed.push(endedAt ?? arms.control.n + arms.treatment.n);
  }
  return { fixedAtEnd, fixedAtAny, sequentialAtAny, relativeAtEnd, unitsUsed };
}

/** A/A experiments that are looked at while they run. */
export function falsePositives(repetitions: number): readonly Finding[] {
  const question = 'False positives of A/A experiments, alpha 5 %';
  const base = { lift: 1, units: 20_000, looks: 20 };
  const experiments: readonly (Experiment & { readonly share?: number })[] = [
    { ...base, name: 'mean, normal values, 20 looks', kind: 'mean', population: normalValues },
    { ...base, name: 'proportion of 10 %, 20 looks', kind: 'proportion', population: conversions },
    {
      ...base,
      name: 'proportion, 10 % of units treated, 20 looks',
      kind: 'proportion',
      population: conversions,
      treatmentShare: 0.1,
    },
    { ...base, name: 'mean, skewed revenue, 20 looks', kind: 'mean', population: revenue },
    { ...base, name: 'ratio, clicks over views, 20 looks', kind: 'ratio', population: clicksOfViews, share: 0.5 },
    {
      ...base,
      name: 'proportion of 10 %, 100 looks',
      kind: 'proportion',
      population: conversions,
      looks: 100,
      share: 0.25,
    },
    {
      ...base,
      name: 'proportion of 10 %, planned for a quarter of the units, 20 looks',
      kind: 'proportion',
      population: conversions,
      plannedUnits: 5_000,
      share: 0.5,
    },
  ];
  return experiments.flatMap(({ share = 1, ...experiment }) => {
    const of = Math.ceil(repetitions * share);
    const seen = look(experiment, of);
    const row = { about: question, setting: experiment.name };
    const often = experiment.looks === 20 ? about(0.25, 0.02) : null;
    return [
      {
        ...row,
        figure: 'fixed test, read once at the end',
        ...shareOf(seen.fixedAtEnd, of),
        stated: about(alpha, 0.005),
      },
      { ...row, figure: 'fixed test, read at every look', ...shareOf(seen.fixedAtAny, of), stated: often },
      {
        ...row,
        figure: 'sequential test, read at every look',
        ...shareOf(seen.sequentialAtAny, of),
        stated: atMost(alpha),
      },
    ];
  });
}

/** Experiments with an effect, of the size that the plan asks for. */
export function power(repetitions: number): readonly Finding[] {
  const question = 'Power, alpha 5 %, beside the plan';
  return [0.8, 0.9].flatMap((planned) => {
    const plans = [
      {
        name: `mean, effect of 0.1 standard deviations, plan ${100 * planned} %`,
        kind: 'mean' as const,
        ...{ population: normalValues, lift: 1.1 },
        arm: sampleSizeOfTwoMeans({ difference: 0.1, standardDeviation: 1, power: planned, alpha }),
      },
      {
        name: `proportion, 10 % to 11.5 %, plan ${100 * planned} %`,
        kind: 'proportion' as const,
        ...{ population: conversions, lift: 1.15 },
        arm: sampleSizeOfTwoProportions({ p1: 0.1, p2: 0.115, power: planned, alpha }),
      },
    ];
    return plans.flatMap(({ name, arm, ...plan }) => {
      const units = 2 * Math.ceil(arm);
      const once = look({ ...plan, name, units, looks: 1 }, repetitions);
      const setting = `${name}, ${units.toLocaleString('en-US')} units`;
      const row = { about: question, setting };
      const third = Math.ceil(repetitions / 3);
      const longer = [1, 2].map((factor) => {
        const looked = look(
          {
            ...plan,
            name: `${name} × ${factor}`,
            units: Math.ceil(units * factor),
            plannedUnits: units,
            looks: 20,
          },
          third,
        );
        return { factor, looked };
      });
      return [
        {
          ...row,
          figure: 'fixed test of the difference',
          ...shareOf(once.fixedAtEnd, repetitions),
          stated: about(planned, 0.02),
        },
        {
          ...row,
          figure: 'fixed interval of the relative lift leaves out 0',
          ...shareOf(once.relativeAtEnd, repetitions),
          stated: null,
        },
        ...longer.flatMap(({ factor, looked }): readonly Finding[] => [
          {
            ...row,
            figure: `sequential test, 20 looks up to ${factor === 1 ? '' : `${factor} times `}the planned units`,
            ...shareOf(looked.sequentialAtAny, third),
            stated: null,
          },
          {
            ...row,
            figure: `units until it ends${factor === 1 ? '' : `, going on to ${factor} times the planned units`}, as a share of the plan`,
            ...meanOf(
              looked.unitsUsed.map((used) => used / units),
              'share',
            ),
            stated: null,
          },
        ]),
      ];
    });
  });
}
