import { type DecisionVerdict, decide } from '../../src/index.ts';
import { conversions, sourceOf } from './draws.ts';
import { atMost, type Finding, type Stated, shareOf } from './finding.ts';
import { addUnits, analysisOf, definitionOf, emptyArm, metricOf } from './judge.ts';

const alpha = 0.05;
const units = 14_000;
const looks = 20;

/** What `decide` says of experiments whose truth is known: a proportion of 10 %, planned for a change of 15 % of it. */
export function decisions(repetitions: number): readonly Finding[] {
  return [
    ...decided('no effect', 1, repetitions, { ship: atMost(alpha / 2), stop: atMost(alpha / 2) }),
    ...decided('15 % better', 1.15, repetitions, { stop: atMost(alpha / 2) }),
    ...decided('15 % worse', 0.85, repetitions, { ship: atMost(alpha / 2) }),
  ];
}

type StatedVerdicts = Partial<Record<DecisionVerdict, Stated>>;

function decided(truth: string, lift: number, repetitions: number, stated: StatedVerdicts): readonly Finding[] {
  const row = { about: 'Decisions at alpha 5 %, a proportion of 10 %, 14,000 units planned' };
  return (['fixed', 'sequential'] as const).flatMap((test) => {
    const metric = { ...metricOf('proportion'), minimumEffect: 0.15 };
    const definition = definitionOf({ test, alpha, plannedUnits: units, metrics: [metric] });
    const times: Record<DecisionVerdict, number> = { ship: 0, keep: 0, stop: 0, continue: 0 };
    const readings = test === 'fixed' ? 1 : looks;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const random = sourceOf(`${truth}, ${test}`, repetition);
      const [ofControl, ofTreatment] = [conversions(random, 1), conversions(random, lift)];
      const arms = { control: emptyArm(), treatment: emptyArm() };
      let verdict: DecisionVerdict = 'continue';
      for (let at = 1; at <= readings && verdict === 'continue'; at++) {
        addUnits(arms.control, units / readings / 2, ofControl);
        addUnits(arms.treatment, units / readings / 2, ofTreatment);
        verdict = decide(definition, analysisOf(definition, [arms], at), { looks: at }).verdict;
      }
      times[verdict] += 1;
    }
    const setting = `${truth}, ${test === 'fixed' ? 'fixed test, one look' : `sequential test, up to ${looks} looks`}`;
    return (['ship', 'keep', 'stop', 'continue'] as const).flatMap((verdict) =>
      times[verdict] === 0 && stated[verdict] === undefined
        ? []
        : [
            {
              ...row,
              setting,
              figure: verdict,
              ...shareOf(times[verdict], repetitions),
              stated: stated[verdict] ?? null,
            },
          ],
    );
  });
}
