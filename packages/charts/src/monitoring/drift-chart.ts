import { type ChartOptions, type ChartSpec, chartSpec, type Json, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { ChartError } from '../errors.ts';
import { CHART_LIMITS } from '../limits.ts';
import { countOf, countText, numberText } from '../number-text.ts';
import { plainText } from '../plain-text.ts';
import { byCodeUnits, requireAmount, requireTime } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';
import { referenceColour } from '../theme.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { timeAxis } from '../time-axis.ts';
import { axisTitle } from '../vega-text.ts';

/** How far a feature was from its baseline in one window. */
export interface DriftPoint {
  readonly feature: string;
  /** The window's end. */
  readonly at: Date;
  /** At least 0; null where it is undefined: a gap. */
  readonly distance: number | null;
  /** Above which it is called drift, above 0; null where there is none. */
  readonly threshold: number | null;
}

export interface DriftChartInput extends ChartOptions {
  /** Such as `PSI`: the title of the axis. */
  readonly measure: string;
  /** Of one measure, in any order. */
  readonly points: readonly DriftPoint[];
  /** 8 if left out, up to 24; beyond it those stay that came nearest to their thresholds or farthest above them. */
  readonly maxFeatures?: number | undefined;
  /** Of one feature; 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

/**
 * The distance of features from their baseline over time, beside the threshold. Where thresholds differ, as they do when
 * they are calibrated to the rows of a window, distances are drawn as multiples of them. What is above is a larger dot.
 * @throws ChartError `invalid_input`: distances that are none, thresholds not above 0 or missing for some, invalid times.
 */
export function driftChart(input: DriftChartInput): ChartSpec {
  const measure = plainText(input.measure, CHART_LIMITS.nameLength);
  const title = `Drift by ${measure}`;
  const { maxFeatures = CHART_LIMITS.driftFeatures } = input;
  if (!(Number.isInteger(maxFeatures) && maxFeatures >= 1 && maxFeatures <= CHART_LIMITS.series)) {
    throw new ChartError('invalid_input', `maxFeatures must be an integer from 1 to ${CHART_LIMITS.series}.`);
  }
  const lanes = featuresOf(input.points);
  if (!input.points.some(({ distance }) => distance !== null)) return emptyChart(input, title, 'No distances to draw');
  const { threshold, multiples } = thresholdOf(input.points);
  const drawn = mostDrifted(lanes, maxFeatures);
  const maxRows = pointsOf(input.maxPoints);
  const yOf = ({ distance, threshold: own }: DriftPoint) =>
    distance === null ? null : multiples && own !== null ? distance / own : distance;
  const values = drawn.flatMap(({ feature, points }, series) =>
    thinRows(points, { maxRows, measures: [yOf] }).map((point) => ({
      ...{ series, feature, at: point.at.getTime(), y: yOf(point) },
      ...{ distance: point.distance, threshold: point.threshold, size: isAbove(point) ? 70 : 10 },
    })),
  );
  const { width, height } = sizeOf(input, 420, 240);
  const times = values.map(({ at }) => at);
  const total = drawn.reduce((sum, { points }) => sum + points.length, 0);
  const above = lanes.filter(({ points }) => isAbove(points.findLast(({ distance }) => distance !== null)));
  const notes = [
    threshold === null && !multiples
      ? undefined
      : `${countOf(above.length, 'feature')} of ${countText(lanes.length)} above the threshold at last${
          threshold === null ? '' : ` (${numberText(threshold)})`
        }`,
    multiples ? 'Thresholds differ: distances are drawn as multiples of them.' : undefined,
    drawn.length < lanes.length
      ? `${countText(drawn.length)} of ${countText(lanes.length)} features: those farthest from their baseline.`
      : undefined,
    thinnedNote(total, values.length),
  ];
  const yTitle = multiples ? `${measure} / threshold` : axisTitle(input.measure, 'Distance');
  const ends = [Math.min(...times), Math.max(...times)] as const;
  const line = multiples ? 1 : threshold;
  const names = drawn.map(({ feature }) => feature);
  const body = { width, height, ...layersOf({ values, names, ends, line, yTitle }) };
  return chartSpec({ options: input, title, width, notes, body });
}

interface LayersInput {
  readonly values: readonly { readonly [key: string]: Json }[];
  readonly names: readonly string[];
  readonly ends: readonly [number, number];
  readonly line: number | null;
  readonly yTitle: string;
}

function layersOf({ values, names, ends, line, yTitle }: LayersInput) {
  const scales = seriesScales('Feature', names, true);
  const x = { ...timeAxis(ends, 'Time (UTC)', 4), field: 'at' };
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { domainMin: 0 },
    axis: { title: yTitle, tickCount: 5 },
  };
  const dots = values.filter((value) => value.y !== null);
  const layer: Json[] = [
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 1.75, invalid: 'break-paths-filter-domains', aria: false },
      encoding: { x, y, ...scales.line },
    },
    {
      data: { values: dots },
      mark: { type: 'point', filled: true, opacity: 1, aria: false, tooltip: { content: 'data' } },
      encoding: {
        x,
        y,
        ...scales.colour,
        size: { field: 'size', type: 'quantitative', scale: null },
      },
    },
  ];
  if (line !== null) {
    layer.push({
      data: { values: [{ y: line }] },
      mark: { type: 'rule', strokeDash: [6, 4], strokeWidth: 1.5, color: referenceColour, aria: false },
      encoding: { y },
    });
  }
  return { params: scales.params, layer };
}

interface Feature {
  readonly feature: string;
  readonly points: readonly DriftPoint[];
}

function featuresOf(points: readonly DriftPoint[]): readonly Feature[] {
  const byFeature = new Map<string, DriftPoint[]>();
  for (const point of points) {
    requireTime('at', point.at);
    if (point.distance !== null) requireAmount('distance', point.distance);
    if (point.threshold !== null && requireAmount('threshold', point.threshold) === 0) {
      throw new ChartError('invalid_input', 'threshold must be above 0 in each row.');
    }
    const known = byFeature.get(point.feature);
    if (known === undefined) byFeature.set(point.feature, [point]);
    else known.push(point);
  }
  return [...byFeature]
    .map(([feature, own]) => ({ feature, points: own.toSorted((a, b) => a.at.getTime() - b.at.getTime()) }))
    .toSorted((a, b) => byCodeUnits(a.feature, b.feature));
}

/** The threshold of all points; null where there is none, or where they differ, and distances become multiples. */
function thresholdOf(points: readonly DriftPoint[]) {
  const [threshold = null, ...others] = new Set(points.map((point) => point.threshold));
  if (others.length === 0) return { threshold, multiples: false };
  if (threshold !== null && !others.includes(null)) return { threshold: null, multiples: true };
  throw new ChartError('invalid_input', 'threshold must be there in all rows or in none: draw two charts.');
}

function isAbove(point: DriftPoint | undefined): boolean {
  return (point?.distance ?? 0) > (point?.threshold ?? Infinity);
}

/** At most `limit` features, still in the order of their names. */
function mostDrifted(features: readonly Feature[], limit: number): readonly Feature[] {
  if (features.length <= limit) return features;
  const farthest = ({ points }: Feature) =>
    Math.max(...points.map(({ distance, threshold }) => (distance ?? 0) / (threshold ?? 1)));
  const kept = new Set(
    features.toSorted((a, b) => farthest(b) - farthest(a) || byCodeUnits(a.feature, b.feature)).slice(0, limit),
  );
  return features.filter((feature) => kept.has(feature));
}
