import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countOf, countText, numberText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireAmount } from '../require-rows.ts';
import { seriesColours } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { cross, valueScale } from './metric-chart.ts';

/** A row of hyperparameter_trials. */
export interface TrialRow {
  readonly number: number;
  readonly status: 'waiting' | 'running' | 'complete' | 'pruned' | 'failed' | 'stale';
  /** One an objective, in their order; null where there are none. */
  readonly values: readonly number[] | null;
}

export interface StudyChartInput extends ChartOptions {
  /** Of one study, in any order. */
  readonly trials: readonly TrialRow[];
  readonly objective: { readonly name: string; readonly direction: 'minimize' | 'maximize' };
  /** The objective's place in the study's list; 0 if left out. */
  readonly objectiveIndex?: number | undefined;
  /** `linear` if left out; on `log` only values above 0 are drawn. */
  readonly yScale?: 'linear' | 'log' | undefined;
  /** Trials that are drawn, about; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * A study's values by trial number: complete trials as dots, the best so far as steps, pruned trials as open triangles at
 * the value they have. What has none that can be drawn is at the foot of the plot: a triangle if pruned, a cross if it
 * failed, was lost, or its value is not finite. Trials that wait or run are not drawn. The best counts complete trials
 * alone, and where two are equal the earlier one.
 * @throws ChartError `invalid_input`: a number twice, an objective that complete trials have no value of.
 */
export function studyChart(input: StudyChartInput): ChartSpec {
  const title = 'Study history';
  const name = plainText(input.objective.name, CHART_LIMITS.nameLength);
  const ended = endedTrials(input);
  if (ended.length === 0) return emptyChart(input, title, 'No trial has ended');
  const best = bestSoFar(ended, input.objective.direction);
  const improved = new Set(best.map(({ number }) => number));
  const drawn = thinRows(ended, {
    maxRows: pointsOf(input.maxPoints),
    measures: [({ y }) => y],
    keep: ({ number }) => improved.has(number),
  });
  const size = sizeOf(input, 480, 280);
  const last = ended.at(-1)?.number ?? 0;
  const winner = best.at(-1);
  const direction = input.objective.direction === 'minimize' ? 'smaller is better' : 'larger is better';
  const notes = [
    winner === undefined
      ? 'No complete trial has a finite value.'
      : `Best: ${numberText(winner.y)}, trial ${winner.number}`,
    statusNote(ended),
    thinnedNote(ended.length, drawn.length, 'trials'),
  ];
  const body = {
    ...size,
    ...studyLayers(
      { drawn, best: steps(best, last), height: size.height, log: input.yScale === 'log' },
      `${name} (${direction})`,
    ),
  };
  return chartSpec({ options: input, title: `${title}: ${name}`, width: size.width, notes, body });
}

type EndedKind = 'complete' | 'pruned' | 'failed';

interface EndedTrial {
  readonly number: number;
  readonly kind: EndedKind;
  /** Null: nothing that can be drawn. */
  readonly y: number | null;
}

interface BestPoint {
  readonly number: number;
  readonly y: number;
}

function endedTrials({ trials, objectiveIndex = 0, yScale }: StudyChartInput): readonly EndedTrial[] {
  const ordered = trials.toSorted((a, b) => a.number - b.number);
  return ordered.flatMap(({ number, status, values }, position): readonly EndedTrial[] => {
    requireAmount('number', number);
    if (ordered[position - 1]?.number === number) {
      throw new ChartError('invalid_input', 'trials must be those of one study: each number once.');
    }
    if (status === 'waiting' || status === 'running') return [];
    const value = values?.[objectiveIndex];
    if (status === 'complete' && value === undefined) {
      throw new ChartError(
        'invalid_input',
        'objectiveIndex must name an objective that complete trials have a value of.',
      );
    }
    const drawable = value !== undefined && Number.isFinite(value) && !(yScale === 'log' && value <= 0);
    const kind = status === 'complete' || status === 'pruned' ? status : 'failed';
    return [{ number, kind, y: drawable && kind !== 'failed' ? value : null }];
  });
}

/** The complete trials that were better than all before them. */
function bestSoFar(trials: readonly EndedTrial[], direction: 'minimize' | 'maximize'): readonly BestPoint[] {
  const sign = direction === 'minimize' ? 1 : -1;
  const found: BestPoint[] = [];
  let best = Infinity;
  for (const { number, kind, y } of trials) {
    if (kind !== 'complete' || y === null || sign * y >= best) continue;
    best = sign * y;
    found.push({ number, y });
  }
  return found;
}

/** The last best holds to the last trial. */
function steps(best: readonly BestPoint[], last: number): readonly BestPoint[] {
  const winner = best.at(-1);
  return winner === undefined || winner.number === last ? best : [...best, { number: last, y: winner.y }];
}

interface StudyLayers {
  readonly drawn: readonly EndedTrial[];
  readonly best: readonly BestPoint[];
  readonly height: number;
  readonly log: boolean;
}

const shapes = [
  { kind: 'complete', label: 'Complete', colour: seriesColours[0], shape: 'circle' },
  { kind: 'pruned', label: 'Pruned', colour: seriesColours[1], shape: 'triangle-down' },
  { kind: 'failed', label: 'Failed or lost', colour: seriesColours[5], shape: cross },
] as const;

function studyLayers({ drawn, best, height, log }: StudyLayers, yTitle: string) {
  const x = {
    field: 'number',
    type: 'quantitative',
    scale: { nice: false, zero: false, padding: 6 },
    axis: { title: 'Trial number', tickMinStep: 1, format: 'd' },
  };
  const atFoot = drawn.filter((trial) => trial.y === null);
  const scale = valueScale(log, atFoot.length > 0, atFoot.length < drawn.length);
  const y = {
    field: 'y',
    type: 'quantitative',
    scale,
    axis: { title: log ? `${yTitle}, log scale` : yTitle, tickCount: 6 },
  };
  const labelled = (trials: readonly EndedTrial[]) => trials.map((trial) => ({ ...trial, label: labelOf(trial.kind) }));
  const legend = { title: 'Trials', orient: 'bottom' };
  const domain = shapes.map(({ label }) => label);
  const field = { field: 'label', type: 'nominal' };
  const look = {
    color: { ...field, scale: { domain, range: shapes.map(({ colour }) => colour) }, legend },
    shape: { ...field, scale: { domain, range: shapes.map(({ shape }) => shape) }, legend },
  };
  const mark = {
    type: 'point',
    opacity: 1,
    filled: false,
    size: 36,
    strokeWidth: 1.5,
    aria: false,
    tooltip: { content: 'data' },
  };
  const layer: Json[] = [
    {
      data: { values: best.map(({ number, y: value }) => ({ number, y: value })) },
      mark: { type: 'line', interpolate: 'step-after', color: '#222222', strokeWidth: 1.5, aria: false },
      encoding: { x, y },
    },
    { data: { values: labelled(drawn.filter((trial) => trial.y !== null)) }, mark, encoding: { x, y, ...look } },
  ];
  if (atFoot.length > 0)
    layer.push({ data: { values: labelled(atFoot) }, mark, encoding: { x, y: { value: height - 5 }, ...look } });
  return { layer };
}

function labelOf(kind: EndedKind): string {
  return shapes.find((shape) => shape.kind === kind)?.label ?? kind;
}

function statusNote(ended: readonly EndedTrial[]): string {
  const count = (kind: EndedKind) => ended.filter((trial) => trial.kind === kind).length;
  const counts = [
    countOf(ended.length, 'trial that has ended', 'trials that have ended'),
    `${countText(count('pruned'))} pruned`,
    `${countText(count('failed'))} failed or lost`,
  ];
  const foot = ended.some(({ y }) => y === null) ? '; at the foot: without a value that can be drawn' : '';
  return `${counts.join(', ')}${foot}. Steps: the best so far.`;
}
