import { type ChartOptions, type ChartSpec, chartSpec, sizeOf } from '../chart-spec.ts';
import { emptyChart } from '../empty-chart.ts';
import { countOf, countText, percentText } from '../number-text.ts';
import { requireAmount, requireTime } from '../require-rows.ts';
import { seriesScales } from '../series-scales.ts';
import { pointsOf, thinnedNote, thinRows } from '../thin-rows.ts';
import { timeAxis } from '../time-axis.ts';

/** How far a job was at a time. */
export interface JobProgressPoint {
  readonly at: Date;
  readonly rowsDone: number;
  /** Given up, with a reason. */
  readonly rowsDead: number;
}

export interface JobProgressChartInput extends ChartOptions {
  /** Of one job, in any order. */
  readonly points: readonly JobProgressPoint[];
  /** All rows of the job. */
  readonly rowCount: number;
  /** 1,000 if left out. */
  readonly maxPoints?: number | undefined;
}

const lines = ['Done', 'Dead', 'All rows'] as const;

/**
 * The rows of a batch job that are done and dead over time, as steps, below the line of all. Times are UTC.
 * @throws ChartError `invalid_input`: counts that are none, invalid times.
 */
export function jobProgressChart(input: JobProgressChartInput): ChartSpec {
  const title = 'Progress of the job';
  const rowCount = requireAmount('rowCount', input.rowCount);
  const all = input.points.toSorted(
    (a, b) => requireTime('at', a.at) - requireTime('at', b.at) || a.rowsDone - b.rowsDone,
  );
  for (const { at, rowsDone, rowsDead } of all) {
    requireTime('at', at);
    requireAmount('rowsDone', rowsDone);
    requireAmount('rowsDead', rowsDead);
  }
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) return emptyChart(input, title, 'No progress to draw');
  const drawn = thinRows(all, {
    maxRows: pointsOf(input.maxPoints),
    measures: [({ rowsDone }) => rowsDone, ({ rowsDead }) => rowsDead],
  });
  const ends = [first.at.getTime(), last.at.getTime()] as const;
  const values = [
    ...drawn.map(({ at, rowsDone }) => ({ series: 0, line: lines[0], at: at.getTime(), rows: rowsDone })),
    ...drawn.map(({ at, rowsDead }) => ({ series: 1, line: lines[1], at: at.getTime(), rows: rowsDead })),
    ...ends.map((at) => ({ series: 2, line: lines[2], at, rows: rowCount })),
  ];
  const { params, line } = seriesScales('Rows', [...lines]);
  const { width, height } = sizeOf(input, 480, 240);
  const body = {
    ...{ width, height, params },
    data: { values },
    mark: {
      ...{ type: 'line', interpolate: 'step-after', strokeWidth: 1.75, aria: false },
      // A job that ended with its first chunk has no line.
      point: { size: 14, tooltip: { content: 'data' } },
    },
    encoding: {
      x: { ...timeAxis(ends, 'Time (UTC)'), field: 'at' },
      y: {
        field: 'rows',
        type: 'quantitative',
        scale: { domainMin: 0 },
        axis: { title: 'Rows', tickCount: 5, format: '~s' },
      },
      ...line,
    },
  };
  const seconds = (ends[1] - ends[0]) / 1_000;
  const share = rowCount === 0 ? '' : ` (${percentText(last.rowsDone / rowCount)})`;
  const notes = [
    `${countText(last.rowsDone)} of ${countOf(rowCount, 'row')} done${share}, ${countText(last.rowsDead)} dead, in ${countOf(seconds, 'second')}`,
    thinnedNote(all.length, drawn.length),
  ];
  return chartSpec({ options: input, title, width, notes, body });
}
