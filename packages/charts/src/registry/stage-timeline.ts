import { type ChartOptions, type ChartSpec, chartSpec, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { namedCategories } from '../named-categories.ts';
import { countText } from '../number-text.ts';
import { requireTime } from '../require-rows.ts';
import { timeAxis } from '../time-axis.ts';

export type Stage = 'development' | 'staging' | 'production' | 'archived';

/** A row of model_stage_transitions. */
export interface StageChange {
  readonly modelId: string;
  readonly versionId: string;
  readonly version: string;
  /** The order of changes; times may be equal. */
  readonly changeNumber: number;
  /** Null: the version was deleted. */
  readonly toStage: Stage | null;
  readonly occurredAt: Date;
}

export interface StageTimelineInput extends ChartOptions {
  /** Of one model, in any order. */
  readonly changes: readonly StageChange[];
  /** Where stages that are still held end: now, or the end of the report. */
  readonly until: Date;
  /** 40 if left out; beyond it those stay that were in production or staging, and of these the last to move. */
  readonly maxVersions?: number | undefined;
}

/**
 * Which version of a model held which stage when: a lane for each version, in the order of their first changes, and a bar
 * for each time in a stage. Times are UTC. A deleted version's lane ends. What happened after `until` is not drawn.
 * @throws ChartError `invalid_input`: changes of several models, invalid times.
 */
export function stageTimeline(input: StageTimelineInput): ChartSpec {
  const title = 'Stages by version';
  const { maxVersions = CHART_LIMITS.versions } = input;
  if (!(Number.isInteger(maxVersions) && maxVersions >= 1 && maxVersions <= 200)) {
    throw new ChartError('invalid_input', 'maxVersions must be an integer from 1 to 200.');
  }
  const lanes = lanesOf(input);
  if (lanes.length === 0) return emptyChart(input, title, 'No changes to draw');
  const drawn = mostTelling(lanes, maxVersions);
  const { param, domain, labelExpr, describe } = namedCategories(
    'versionNames',
    drawn.map(({ version }) => version),
  );
  const values = drawn.flatMap(({ version, holdings }, lane) =>
    holdings.map(({ stage, from, to }) => ({ lane, version, stage, from, to })),
  );
  const present = stages.filter(({ stage }) => values.some((value) => value.stage === stage));
  const size = sizeOf(input, 560, Math.max(CHART_LIMITS.minSide, 24 * drawn.length));
  const body = {
    ...size,
    params: [param],
    data: { values },
    // The stroke keeps a stage visible that was held for less than a pixel.
    mark: { type: 'bar', strokeWidth: 1, aria: false, tooltip: { content: 'data' } },
    encoding: {
      x: { ...timeAxis(endsOf(values), 'Time (UTC)'), field: 'from' },
      x2: { field: 'to' },
      y: {
        field: 'lane',
        type: 'nominal',
        scale: { domain, paddingInner: 0.25 },
        axis: { title: 'Version', labelExpr, description: describe('Version') },
      },
      color: stageEncoding(present),
      stroke: stageEncoding(present),
    },
  };
  const notes = [
    `Until ${new Date(requireTime('until', input.until)).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    drawn.length === lanes.length
      ? undefined
      : `${countText(drawn.length)} of ${countText(lanes.length)} versions: those in production or staging first, then the last to move.`,
  ];
  return chartSpec({ options: input, title, width: size.width, notes, body });
}

// By weight: what serves is dark, what is put away is pale, with 3:1 against white but for the last, which its lane bears.
const stages = [
  { stage: 'production', colour: '#084A8C' },
  { stage: 'staging', colour: '#D55E00' },
  { stage: 'development', colour: '#009E73' },
  { stage: 'archived', colour: '#8C8C8C' },
] as const;

function stageEncoding(present: readonly (typeof stages)[number][]) {
  const scale = { domain: present.map(({ stage }) => stage), range: present.map(({ colour }) => colour) };
  return { field: 'stage', type: 'nominal', scale, legend: { title: 'Stage', orient: 'bottom' } };
}

/** From the first to the last moment that is drawn. */
function endsOf(values: readonly Pick<Holding, 'from' | 'to'>[]): readonly [number, number] {
  let [first, last] = [Infinity, -Infinity];
  for (const { from, to } of values) [first, last] = [Math.min(first, from), Math.max(last, to)];
  return [first, last];
}

interface Holding {
  readonly stage: Stage;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

interface Lane {
  readonly version: string;
  readonly holdings: readonly Holding[];
  /** The last change's number. */
  readonly lastMove: number;
}

/** One lane a version, in the order of first changes. */
function lanesOf({ changes, until }: StageTimelineInput): readonly Lane[] {
  const end = requireTime('until', until);
  const [first] = changes;
  const byVersion = new Map<string, StageChange[]>();
  for (const change of changes.toSorted((a, b) => a.changeNumber - b.changeNumber)) {
    if (change.modelId !== first?.modelId) {
      throw new ChartError('invalid_input', 'changes must be those of one model.');
    }
    if (requireTime('occurredAt', change.occurredAt) > end) continue;
    const known = byVersion.get(change.versionId);
    if (known === undefined) byVersion.set(change.versionId, [change]);
    else known.push(change);
  }
  return [...byVersion.values()].map((moves) => {
    const holdings = moves.flatMap(({ toStage, occurredAt }, position): readonly Holding[] => {
      const to = moves[position + 1]?.occurredAt.getTime() ?? end;
      return toStage === null ? [] : [{ stage: toStage, from: occurredAt.getTime(), to }];
    });
    const last = moves.at(-1);
    return { version: last?.version ?? '', holdings, lastMove: last?.changeNumber ?? 0 };
  });
}

/** At most `limit` lanes, still in their order. */
function mostTelling(lanes: readonly Lane[], limit: number): readonly Lane[] {
  if (lanes.length <= limit) return lanes;
  const served = ({ holdings }: Lane) =>
    Number(holdings.some(({ stage }) => stage === 'production' || stage === 'staging'));
  const kept = new Set(lanes.toSorted((a, b) => served(b) - served(a) || b.lastMove - a.lastMove).slice(0, limit));
  return lanes.filter((lane) => kept.has(lane));
}
