import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { requireTime } from '../require-rows.ts';
import { timeAxis } from '../time-axis.ts';

export type AlertState = 'pending' | 'firing' | 'acknowledged' | 'resolved';

/** A change of the state of an alert. */
export interface AlertChange {
  /** What the alert is of, rule and labels: changes of the same share a lane, over all its episodes. */
  readonly fingerprint: string;
  /** What the lane is called; the last one counts. */
  readonly name: string;
  /** The order of the changes of a fingerprint; times may be equal. */
  readonly changeNumber: number;
  /** Null: it was pending and its condition ended. */
  readonly toState: AlertState | null;
  readonly occurredAt: Date;
}

export interface AlertTimelineInput extends ChartOptions {
  /** In any order. */
  readonly changes: readonly AlertChange[];
  /** Where states that are still held end: now, or the end of the report. */
  readonly until: Date;
  /** 40 if left out, up to 200; beyond it those stay that are open, and of the others the last to change. */
  readonly maxAlerts?: number | undefined;
}

/**
 * Which alert was in which state when: a lane for each, in the order of their first changes, a bar for each time in which
 * it was pending, firing or acknowledged, and a thin one while it is resolved. Times are UTC. What happened after `until`
 * is not drawn.
 * @throws ChartError `invalid_input`: invalid times, two changes of a fingerprint with one number.
 */
export function alertTimeline(input: AlertTimelineInput): ChartSpec {
  const title = 'Alerts';
  const { maxAlerts = CHART_LIMITS.alerts } = input;
  if (!(Number.isInteger(maxAlerts) && maxAlerts >= 1 && maxAlerts <= 200)) {
    throw new ChartError('invalid_input', 'maxAlerts must be an integer from 1 to 200.');
  }
  const lanes = lanesOf(input);
  if (lanes.length === 0) return emptyChart(input, title, 'No alerts to draw');
  const drawn = mostTelling(lanes, maxAlerts);
  const values = drawn.flatMap(({ name, holdings }, lane) =>
    holdings.map(({ state, from, to }) => ({ lane, name, state, from, to })),
  );
  const { width, height } = sizeOf(input, 420, Math.max(CHART_LIMITS.minSide, 38 * drawn.length));
  const end = requireTime('until', input.until);
  const names = drawn.map(({ name }) => name);
  const count = (state: AlertState) => lanes.filter((lane) => lane.state === state).length;
  const notes = [
    `At ${new Date(end).toISOString().slice(0, 16).replace('T', ' ')} UTC: ${openStates
      .map((state) => `${countText(count(state))} ${state}`)
      .join(', ')}`,
    drawn.length === lanes.length
      ? undefined
      : `${countText(drawn.length)} of ${countText(lanes.length)} alerts: open ones first, then the last to change.`,
  ];
  const body = { width, height, ...layersOf({ values, names, end, width }) };
  return chartSpec({ options: input, title, width, notes, body });
}

const openStates = ['firing', 'acknowledged', 'pending'] as const;

// What wants somebody is darkest and warmest; what is over is grey.
const states = [
  { state: 'pending', colour: '#CC61A0' },
  { state: 'firing', colour: '#D55E00' },
  { state: 'acknowledged', colour: '#0072B2' },
  { state: 'resolved', colour: '#8C8C8C' },
] as const;

interface Drawn {
  readonly [key: string]: Json;
  readonly lane: number;
  readonly state: AlertState;
  readonly from: number;
}

interface LayersInput {
  readonly values: readonly Drawn[];
  readonly names: readonly string[];
  readonly end: number;
  readonly width: number;
}

function layersOf({ values, names, end, width }: LayersInput) {
  const present = states.filter(({ state }) => values.some((value) => value.state === state));
  const first = values.reduce((least, { from }) => Math.min(least, from), end);
  const scale = { domain: present.map(({ state }) => state), range: present.map(({ colour }) => colour) };
  const colour = { field: 'state', type: 'nominal', scale, legend: { title: 'State', orient: 'bottom', columns: 2 } };
  const y = { type: 'quantitative', scale: { domain: [names.length, 0], nice: false }, axis: null };
  const bars = (resolved: boolean, top: number, bottom: number): Json => ({
    data: {
      values: values
        .filter(({ state }) => (state === 'resolved') === resolved)
        .map((value) => ({ ...value, top: value.lane + top, bottom: value.lane + bottom })),
    },
    // The stroke keeps a state visible that was held for less than a pixel.
    mark: { type: 'rect', strokeWidth: resolved ? 0 : 1, aria: false, tooltip: { content: 'data' } },
    encoding: {
      x: { ...timeAxis([first, end], 'Time (UTC)', 4), field: 'from' },
      x2: { field: 'to' },
      y: { ...y, field: 'top' },
      y2: { field: 'bottom' },
      color: colour,
      stroke: colour,
    },
  });
  // The names stand in the plot, above their bars, so that the chart is no wider than a phone.
  const labels: Json = {
    data: { values: names.map((name, lane) => ({ name: plainText(name, CHART_LIMITS.nameLength), lane })) },
    mark: { type: 'text', align: 'left', baseline: 'top', fontSize: 11, yOffset: 4, limit: width - 4, aria: false },
    encoding: { x: { value: 2 }, y: { ...y, field: 'lane' }, text: { field: 'name', type: 'nominal' } },
  };
  return { layer: [bars(true, 0.64, 0.72), bars(false, 0.48, 0.88), labels] };
}

interface Holding {
  readonly state: AlertState;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

interface Lane {
  readonly name: string;
  readonly holdings: readonly Holding[];
  /** As of the end; null where it is gone. */
  readonly state: AlertState | null;
  readonly lastChange: number;
}

/** One lane a fingerprint, in the order of first changes. */
function lanesOf({ changes, until }: AlertTimelineInput): readonly Lane[] {
  const end = requireTime('until', until);
  const byFingerprint = new Map<string, AlertChange[]>();
  for (const change of changes.toSorted((a, b) => a.changeNumber - b.changeNumber)) {
    if (requireTime('occurredAt', change.occurredAt) > end) continue;
    const known = byFingerprint.get(change.fingerprint);
    if (known === undefined) byFingerprint.set(change.fingerprint, [change]);
    else if (known.at(-1)?.changeNumber !== change.changeNumber) known.push(change);
    else throw new ChartError('invalid_input', 'changes of one fingerprint must have numbers of their own.');
  }
  return [...byFingerprint]
    .toSorted(([a, [first]], [b, [second]]) => timeOf(first) - timeOf(second) || (a < b ? -1 : 1))
    .map(([, moves]) => {
      const holdings = moves.flatMap(({ toState, occurredAt }, position): readonly Holding[] => {
        const to = moves[position + 1]?.occurredAt.getTime() ?? end;
        return toState === null ? [] : [{ state: toState, from: occurredAt.getTime(), to }];
      });
      const last = moves.at(-1);
      return { name: last?.name ?? '', holdings, state: last?.toState ?? null, lastChange: timeOf(last) };
    });
}

const timeOf = (change: AlertChange | undefined) => change?.occurredAt.getTime() ?? 0;

/** At most `limit` lanes, still in their order. */
function mostTelling(lanes: readonly Lane[], limit: number): readonly Lane[] {
  if (lanes.length <= limit) return lanes;
  const isOpen = ({ state }: Lane) => Number(state !== null && state !== 'resolved');
  const kept = new Set(lanes.toSorted((a, b) => isOpen(b) - isOpen(a) || b.lastChange - a.lastChange).slice(0, limit));
  return lanes.filter((lane) => kept.has(lane));
}
