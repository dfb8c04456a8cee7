import { ChartError } from './errors.ts';
import { CHART_LIMITS } from './limits.ts';
import { plainText } from './plain-text.ts';
import { vegaText } from './vega-text.ts';
import { wrapText } from './wrap-text.ts';

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * A Vega-Lite specification as JSON, with its data in it: for `renderSvg`, vega-embed, or a file. It is plain JSON and not
 * vega-lite's own type, which would have to be installed.
 */
export interface ChartSpec {
  readonly $schema: string;
  /** What the chart shows, in words; readers of the screen get it in the place of the marks. */
  readonly description: string;
  readonly [key: string]: Json;
}

/** What every chart takes. */
export interface ChartOptions {
  readonly title?: string | undefined;
  /** A line below the title, above those that the chart adds. */
  readonly subtitle?: string | undefined;
  /** Of the plot without its axes, in pixels. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

export interface ChartParts {
  readonly options: ChartOptions;
  /** Where the options have none. */
  readonly title: string;
  /** Of the plot, in pixels: titles are wrapped to it. */
  readonly width: number;
  /** Lines below the title; undefined ones are left out. */
  readonly notes: readonly (string | undefined)[];
  /** The body: data and layers, or concatenated views. */
  readonly body: { readonly [key: string]: Json };
}

const schema = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Puts title, notes and looks around the body of a chart. */
export function chartSpec({ options, title, width, notes, body }: ChartParts): ChartSpec {
  const text = plainText(options.title ?? title, CHART_LIMITS.titleLength);
  const lines = [options.subtitle, ...notes]
    .filter((line) => line !== undefined)
    .map((line) => plainText(line, CHART_LIMITS.titleLength));
  // vega makes the picture as wide as it thinks the longest line is.
  const wrap = (line: string, fontSize: number) => wrapText(line, Math.max(width + 80, 400), fontSize).map(vegaText);
  return {
    $schema: schema,
    description: [text, ...lines].map((line) => line.replace(/\.$/, '')).join('. '),
    title: {
      text: wrap(text, 15),
      subtitle: lines.flatMap((line) => wrap(line, 11)),
      anchor: 'start',
      frame: 'group',
      offset: 12,
    },
    background: '#FFFFFF',
    ...body,
    config: {
      font: 'Helvetica, Arial, sans-serif',
      axis: { labelLimit: 300, titleLimit: 900, gridColor: '#E4E4E4', labelFontSize: 11, titleFontSize: 12 },
      legend: { labelLimit: 540, labelFontSize: 11, titleFontSize: 12 },
      title: { fontSize: 15, subtitleFontSize: 11, subtitleColor: '#444444', subtitlePadding: 4 },
    },
  };
}

/** Width and height as given, or as the chart has them. */
export function sizeOf(options: ChartOptions, width: number, height: number): { width: number; height: number } {
  return { width: sideOf('width', options.width ?? width), height: sideOf('height', options.height ?? height) };
}

function sideOf(name: string, value: number): number {
  const { minSide, maxSide } = CHART_LIMITS;
  if (value >= minSide && value <= maxSide) return value;
  throw new ChartError('invalid_input', `${name} must be a number of pixels from ${minSide} to ${maxSide}.`);
}
