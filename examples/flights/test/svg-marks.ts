/** What an SVG of vega has drawn: attributes of the items of a mark type, and texts by what they are for. */
export interface SvgMarks {
  /** Of marks such as `line`, `rect`, `rule` and `symbol`; axes and legends are none. */
  readonly items: (type: string) => readonly string[];
  /** Corners of each line. */
  readonly corners: () => readonly number[];
  /** Of `axis-title`, `axis-label`, `legend-label`, `title-text`, `title-subtitle`, or `mark`. */
  readonly texts: (role: string) => readonly string[];
}

/** Reads the marks of an SVG that renderSvg has made. */
export function readMarks(svg: string): SvgMarks {
  const bodies = (name: string) =>
    [...svg.matchAll(new RegExp(`<g class="${name}[ "][^>]*>(.*?)</g>`, 'gs'))].map(([, body]) => body ?? '');
  const items = (type: string) =>
    bodies(`mark-${type} role-mark`).flatMap((body) => [...body.matchAll(/<\w+ [^>]*?\/?>/g)].map(([item]) => item));
  return {
    items,
    corners: () => items('line').map((item) => / d="([^"]*)"/.exec(item)?.[1]?.match(/[MLHV]/g)?.length ?? 0),
    texts: (role) =>
      bodies(`mark-text role-${role}`).flatMap((body) =>
        [...body.matchAll(/<text [^>]*>(.*?)<\/text>/gs)].map(([, text]) =>
          (text ?? '').replaceAll(/<[^>]*>/g, ' ').trim(),
        ),
      ),
  };
}
