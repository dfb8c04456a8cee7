import type { ExperimentCorrection } from '../../src/index.ts';
import { normals, sourceOf } from './draws.ts';
import { atMost, type Finding, meanOf, shareOf } from './finding.ts';
import { type Arms, addUnits, analysisOf, definitionOf, emptyArm, metricOf, treatmentOf } from './judge.ts';

const alpha = 0.05;
const metrics = 10;
const looks = 10;
const unitsALook = 200;

/** Ten metrics that share half of their variance, none or half of which the treatment changes. */
export function families(repetitions: number): readonly Finding[] {
  return [...family(0, repetitions), ...family(5, repetitions)];
}

function family(changed: number, repetitions: number): readonly Finding[] {
  const units = (looks * unitsALook).toLocaleString('en-US');
  const setting = `${metrics} correlated metrics, ${changed === 0 ? 'none' : changed} changed, ${units} units`;
  const definitions = {
    none: definitionWith('none'),
    holm: definitionWith('holm'),
    benjaminiHochberg: definitionWith('benjamini_hochberg'),
  };
  const any = { none: 0, holm: 0, benjaminiHochberg: 0, holmAtAnyLook: 0 };
  const falseShares: number[] = [];
  const found = { none: 0, holm: 0, benjaminiHochberg: 0 };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const draw = unitsOf(sourceOf(setting, repetition), changed);
    const arms = Array.from({ length: metrics }, () => ({ control: emptyArm(), treatment: emptyArm() }));
    let wrongAtAnyLook = false;
    for (let look = 1; look <= looks; look++) {
      draw(arms);
      const seen = treatmentOf(analysisOf(definitions.holm, arms, look));
      wrongAtAnyLook ||= seen.some(({ adjustedValidP }, metric) => metric >= changed && isSmall(adjustedValidP));
    }
    for (const way of ['none', 'holm', 'benjaminiHochberg'] as const) {
      const called = treatmentOf(analysisOf(definitions[way], arms)).map(({ adjustedP }) => isSmall(adjustedP));
      const wrong = called.filter((yes, metric) => yes && metric >= changed).length;
      const right = called.filter((yes, metric) => yes && metric < changed).length;
      any[way] += Number(wrong > 0);
      found[way] += right;
      if (way === 'benjaminiHochberg') falseShares.push(wrong + right === 0 ? 0 : wrong / (wrong + right));
    }
    any.holmAtAnyLook += Number(wrongAtAnyLook);
  }
  const row = { about: 'Families of metrics, level 5 %', setting };
  const of = (times: number) => shareOf(times, repetitions);
  const rightly = (times: number) => shareOf(times, repetitions * Math.max(1, changed));
  return [
    { ...row, figure: 'any wrong call, without correction', ...of(any.none), stated: null },
    { ...row, figure: 'any wrong call, Holm', ...of(any.holm), stated: atMost(alpha) },
    {
      ...row,
      figure: 'any wrong call, Holm of always-valid p, at 10 looks',
      ...of(any.holmAtAnyLook),
      stated: atMost(alpha),
    },
    {
      ...row,
      figure: 'share of calls that are wrong, Benjamini and Hochberg',
      ...meanOf(falseShares, 'share'),
      stated: atMost(alpha),
    },
    ...(changed === 0
      ? []
      : [
          {
            ...row,
            figure: 'changed metrics that are found, without correction',
            ...rightly(found.none),
            stated: null,
          },
          { ...row, figure: 'changed metrics that are found, Holm', ...rightly(found.holm), stated: null },
          {
            ...row,
            figure: 'changed metrics that are found, Benjamini and Hochberg',
            ...rightly(found.benjaminiHochberg),
            stated: null,
          },
        ]),
  ];
}

const definitionWith = (correction: ExperimentCorrection) =>
  definitionOf({
    ...{ alpha, correction, plannedUnits: looks * unitsALook },
    metrics: Array.from({ length: metrics }, () => ({ ...metricOf('mean'), role: 'secondary' as const })),
  });

const isSmall = (p: number | null) => p !== null && p <= alpha;

/** Adds the units of a look to both arms of each metric; changed ones are higher by 0.15 standard deviations. */
function unitsOf(random: () => number, changed: number) {
  const normal = normals(random);
  return (arms: readonly Arms[]) => {
    for (let i = 0; i < unitsALook; i++) {
      const treated = i % 2 === 1;
      const common = normal();
      arms.forEach((pair, metric) => {
        addUnits(treated ? pair.treatment : pair.control, 1, (unit) => {
          unit.x = 0;
          unit.y = Math.SQRT1_2 * (common + normal()) + (treated && metric < changed ? 0.15 : 0);
        });
      });
    }
  };
}
