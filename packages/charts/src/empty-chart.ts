import { type ChartOptions, type ChartSpec, chartSpec, sizeOf } from './chart-spec.ts';

/** A chart without marks that says why there are none: no rows, or rows that leave a curve undefined. */
export function emptyChart(options: ChartOptions, title: string, reason: string): ChartSpec {
  const size = sizeOf(options, 420, 160);
  const body = {
    ...size,
    data: { values: [{ reason }] },
    mark: { type: 'text', fontSize: 13, color: '#444444', aria: false },
    encoding: { text: { field: 'reason', type: 'nominal' } },
  };
  return chartSpec({ options, title, width: size.width, notes: [], body });
}
