import { type Difference, sampleSizeOfTwoMeans, sampleSizeOfTwoProportions } from '@mcp-hub/stats';
import { clicksOfViews, conversions, normalValues, type Population, revenue, sourceOf } from './draws.ts';
import { about, atMost, type Finding, meanOf, shareOf } from './finding.ts';
import { addUnits, emptyArm, type JudgedKind, judge } from './judge.ts';

const alpha = 0.05;

interface Experiment {
  readonly name: string;
  readonly kind: JudgedKind;
  readonly population: Population;
  /** What the treatment multiplies. */
  readonly lift: number;
  /** Units of both arms until the last look. */
  readonly units: number;
  /** Default the units of the last look. */
  readonly plannedUnits?: number;
  readonly looks: number;
  /** Default a half. */
  readonly treatmentShare?: number;
  /** Default relative. */
  readonly difference?: Difference;
}

interface Looked {
  readonly fixedAtEnd: number;
  readonly fixedAtAny: number;
  readonly sequentialAtEnd: number;
  readonly sequentialAtAny: number;
  /** Units of both arms when a sequential test ended, all where it did not. */
  readonly unitsUsed: readonly number[];
}

/** How often each test finds something at its last look, and at any. */
function look(experiment: Experiment, repetitions: number): Looked {
  const { name, kind, population, lift, units, looks, treatmentShare = 0.5, difference = 'relative' } = experiment;
  const plannedUnits = experiment.plannedUnits ?? units;
  const [treated, kept] = [treatmentShare, 1 - treatmentShare].map((share) => Math.round((share * units) / looks));
  let [fixedAtEnd, fixedAtAny, sequentialAtEnd, sequentialAtAny] = [0, 0, 0, 0];
  const unitsUsed: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const random = sourceOf(name, repetition);
    const [ofControl, ofTreatment] = [population(random, 1), population(random, lift)];
    const [control, treatment] = [emptyArm(), emptyArm()];
    let [fixed, sequential, fixedFound, sequentialFound] = [false, false, false, false];
    let used = 0;
    for (let at = 0; at < looks; at++) {
      addUnits(control, kept ?? 0, ofControl);
      addUnits(treatment, treated ?? 0, ofTreatment);
      const seen = judge({ kind, control, treatment, difference, alpha, plannedUnits });
      fixed = seen !== undefined && seen.p < alpha;
      sequential = seen !== undefined && seen.alwaysValidP < alpha;
      fixedFound ||= fixed;
      sequentialFound ||= sequential;
      if (!sequentialFound || used === 0) used = sequentialFound ? control.n + treatment.n : 0;
    }
    fixedAtEnd += Number(fixed);
    fixedAtAny += Number(fixedFound);
    sequentialAtEnd += Number(sequential);
    sequentialAtAny += Number(sequentialFound);
    unitsUsed.push(used === 0 ? control.n + treatment.n : used);
  }
  return { fixedAtEnd, fixedAtAny, sequentialAtEnd, sequentialAtAny, unitsUsed };
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
    { ...base, name: 'proportion of 10 %, 100 looks', kind: 'proportion', population: conversions, looks: 100 },
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
      const once = (difference: Difference) =>
        shareOf(look({ ...plan, name, units, looks: 1, difference }, repetitions).fixedAtEnd, repetitions);
      const setting = `${name}, ${units.toLocaleString('en-US')} units`;
      const row = { about: question, setting };
      const half = Math.ceil(repetitions / 2);
      const longer = [1, 2].map((factor) => {
        const looked = look(
          {
            ...plan,
            difference: 'absolute',
            name: `${name} × ${factor}`,
            units: Math.ceil(units * factor),
            plannedUnits: units,
            looks: 20 * factor,
          },
          half,
        );
        return { factor, looked };
      });
      return [
        { ...row, figure: 'fixed test of the difference', ...once('absolute'), stated: about(planned, 0.02) },
        { ...row, figure: 'fixed test of the relative lift', ...once('relative'), stated: null },
        ...longer.flatMap(({ factor, looked }): readonly Finding[] => [
          {
            ...row,
            figure: `sequential test, ${20 * factor} looks up to ${factor === 1 ? '' : `${factor} times `}the planned units`,
            ...shareOf(looked.sequentialAtAny, half),
            stated: null,
          },
          {
            ...row,
            figure: `units until it ends, as a share of the plan`,
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
