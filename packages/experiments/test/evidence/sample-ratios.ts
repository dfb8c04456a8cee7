import { sampleRatioMismatch, sequentialSampleRatio } from '@mcp-hub/stats';
import { HEALTH_RULES } from '../../src/index.ts';
import { binomials, sourceOf } from './draws.ts';
import { atMost, type Finding, meanOf, shareOf } from './finding.ts';

const days = 30;
const unitsADay = 1_000;
const alarm = HEALTH_RULES.sampleRatioP;

/** Alarms of the sample ratio over 30 days, each looked at. */
export function sampleRatios(repetitions: number): readonly Finding[] {
  const sound = [
    [0.5, 0.5],
    [0.5, 0.25, 0.25],
    [0.9, 0.1],
  ];
  return [
    ...sound.flatMap((weights) => alarms(weights, weights, repetitions)),
    ...alarms([0.5, 0.5], [0.51, 0.49], Math.ceil(repetitions / 10)),
    ...alarms([0.5, 0.5], [0.52, 0.48], Math.ceil(repetitions / 10)),
  ];
}

function alarms(weights: readonly number[], truth: readonly number[], repetitions: number): readonly Finding[] {
  const sound = weights === truth;
  const name = sound ? `weights ${text(weights)}, kept` : `weights ${text(weights)}, in truth ${text(truth)}`;
  let [sequential, daily, last] = [0, 0, 0];
  const needed: number[] = [];
  const draws = drawsOf(truth);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const draw = draws(sourceOf(name, repetition));
    const periods = Array.from({ length: days }, () => draw(unitsADay));
    const p = sequentialSampleRatio({ periods, weights });
    const first = p.findIndex((value) => value < alarm);
    sequential += Number(first >= 0);
    needed.push(first < 0 ? days : first + 1);
    const totals = weights.map(() => 0);
    let [any, atEnd] = [false, false];
    for (const period of periods) {
      period.forEach((count, arm) => {
        totals[arm] = (totals[arm] ?? 0) + count;
      });
      atEnd = (sampleRatioMismatch({ counts: totals, weights }).value?.p ?? 1) < alarm;
      any ||= atEnd;
    }
    daily += Number(any);
    last += Number(atEnd);
  }
  const row = { about: 'Alarms of the sample ratio at p < 0.1 %, 1,000 units a day for 30 days', setting: name };
  const of = (times: number) => shareOf(times, repetitions);
  return [
    { ...row, figure: 'sequential test, each day', ...of(sequential), stated: sound ? atMost(alarm) : null },
    ...(sound
      ? []
      : [{ ...row, figure: 'days until it alarms, 30 where it does not', ...meanOf(needed, 'units'), stated: null }]),
    { ...row, figure: 'χ² test, each day', ...of(daily), stated: null },
    { ...row, figure: 'χ² test, on the last day alone', ...of(last), stated: null },
  ];
}

/** Units of each arm of a day: binomial, the first arm against the others, then the next. Tables are kept. */
function drawsOf(shares: readonly number[]) {
  let random: () => number = Math.random;
  const source = () => random();
  const steps = shares.slice(0, -1).map((share, arm) => {
    const before = shares.slice(0, arm).reduce((sum, each) => sum + each, 0);
    return binomials(source, share / (1 - before));
  });
  return (given: () => number) => {
    random = given;
    return (units: number): readonly number[] => {
      let rest = units;
      const counts = steps.map((step) => {
        const count = step(rest);
        rest -= count;
        return count;
      });
      return [...counts, rest];
    };
  };
}

const text = (shares: readonly number[]) => shares.map((share) => Number((100 * share).toFixed(1))).join('/');
