import type { Json } from './chart-spec.ts';

/** Encoding of a field that is a share of 1, on an axis from 0 to 1. */
export function shareEncoding(field: string, title: string): Json {
  return {
    field,
    type: 'quantitative',
    scale: { domain: [0, 1], nice: false },
    axis: { title, tickCount: 6, format: '.1f' },
  };
}

/** A dashed line between two points of shares. */
export function referenceLine(points: readonly { readonly x: number; readonly y: number }[], colour: string): Json {
  return {
    data: { values: points },
    mark: { type: 'line', strokeDash: [4, 4], strokeWidth: 1, color: colour, aria: false },
    encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
  };
}
