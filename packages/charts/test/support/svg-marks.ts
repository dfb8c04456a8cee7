import { type ChartSpec, renderSvg } from '../../src/index.ts';

type Point = readonly [x: number, y: number];

export interface SvgMarks {
  readonly svg: string;
  /** Attributes of each item of marks of a type (`line`, `rule`, `rect`, `symbol`, `text`), in drawing order; axes and legends are none. */
  readonly items: (type: string) => readonly ReadonlyMap<string, string>[];
  /** The corners of each line, in pixels from the plot's upper left. */
  readonly lines: () => readonly (readonly Point[])[];
  /** Where each item of a type was moved to. */
  readonly places: (type: string) => readonly Point[];
  /** What stands in a part: `axis-title`, `axis-label`, `legend-label`, `title-text`, `title-subtitle`, or `mark`. */
  readonly texts: (role: string) => readonly string[];
}

/** Renders a chart and reads its marks. */
export async function drawn(spec: ChartSpec): Promise<SvgMarks> {
  const svg = await renderSvg(spec);
  const bodies = (pattern: string) =>
    [...svg.matchAll(new RegExp(`<g class="${pattern}[ "][^>]*>(.*?)</g>`, 'gs'))].map(([, body]) => body ?? '');
  const items = (type: string) =>
    bodies(`mark-${type} role-mark`).flatMap((body) =>
      [...body.matchAll(/<\w+ ([^>]*?)\/?>/g)].map(([, found]) => attributes(found ?? '')),
    );
  return {
    svg,
    items,
    lines: () => items('line').map((item) => pointsOf(item.get('d') ?? '')),
    places: (type) => items(type).map((item) => pointOf(item.get('transform') ?? '')),
    texts: (role) =>
      bodies(`mark-text role-${role}`).flatMap((body) =>
        [...body.matchAll(/<text ([^>]*)>(.*?)<\/text>/gs)]
          .filter(([, found]) => attributes(found ?? '').get('opacity') !== '0')
          .flatMap(([, , text = '']) =>
            text
              .replaceAll('</tspan>', '')
              .split(/<tspan[^>]*>/)
              .filter((line) => line !== ''),
          ),
      ),
  };
}

function attributes(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name ?? '', value ?? '']));
}

/** The corners of a path of M, L, H and V. */
function pointsOf(path: string): readonly Point[] {
  let [x, y] = [0, 0];
  return [...path.matchAll(/([MLHV])([^MLHVZ]*)/g)].map(([, command, numbers = '']): Point => {
    const [first = 0, second = 0] = numbers.split(',').map(Number);
    if (command === 'H') x = first;
    else if (command === 'V') y = first;
    else [x, y] = [first, second];
    return [x, y];
  });
}

function pointOf(transform: string): Point {
  const [, x, y] = /translate\(([^,]+),([^)]+)\)/.exec(transform) ?? [];
  return [Number(x), Number(y)];
}

/** What is no number in the attributes of an SVG; '' is nothing. */
export function numberFault(svg: string): string {
  const attributesAlone = svg.replaceAll(/>[^<]*</g, '><').replaceAll(/aria-label="[^"]*"/g, '');
  return /"[^"]*(NaN|Infinity|undefined|null)[^"]*"/.exec(attributesAlone)?.[0] ?? '';
}
