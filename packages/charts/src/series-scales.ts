import type { Json } from './chart-spec.ts';
import { namedCategories } from './named-categories.ts';
import { seriesColours, seriesDashes } from './theme.ts';

export interface SeriesScales {
  readonly params: readonly Json[];
  /** Encoding of the colour by the field `series`, for marks of any kind. */
  readonly colour: { readonly [key: string]: Json };
  /** Encodings of colour, dash and grouping, for lines. */
  readonly line: { readonly [key: string]: Json };
}

/** Colour and dash of each line by its position, and one legend of both that bears the names; none for a single line. */
export function seriesScales(title: string, names: readonly string[], legendForOne = false): SeriesScales {
  const { param, domain, labelExpr, describe } = namedCategories('seriesNames', names);
  const legend: Json =
    names.length > 1 || legendForOne
      ? {
          title,
          description: describe(title),
          labelExpr,
          orient: 'bottom',
          direction: 'vertical',
          symbolType: 'stroke',
          symbolStrokeWidth: 2,
          symbolSize: 300,
          // Of a mark that is pale the legend would be too.
          symbolOpacity: 1,
        }
      : null;
  const colours = names.map((_, i) => seriesColours[i % seriesColours.length] ?? '#000000');
  const dashes = names.map((_, i) => seriesDashes[Math.floor(i / seriesColours.length)] ?? [1, 0]);
  const field = { field: 'series', type: 'nominal' };
  const colour = { ...field, scale: { domain, range: colours }, legend };
  return {
    params: [param],
    colour: { color: colour },
    line: { color: colour, strokeDash: { ...field, scale: { domain, range: dashes }, legend } },
  };
}
