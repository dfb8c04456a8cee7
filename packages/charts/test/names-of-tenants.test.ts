import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { renderSvg } from '../src/index.ts';
import { everyChart } from './support/samples.ts';

declare global {
  var wasRun: boolean | undefined;
}

// Each holds this word, by which it is found again in what is compiled.
const mark = 'qqq';
const names = [
  `<script>${mark}</script>`,
  `</text></svg><svg onload="globalThis.wasRun = true">${mark}`,
  `"><a href="javascript:${mark}">`,
  `' onmouseover='${mark}`,
  `datum.x ${mark}`,
  `a.b[0].${mark}`,
  `a['b'].${mark}`,
  `a\\.b\\[0\\] ${mark}`,
  `\\" + (globalThis.wasRun = true) + "${mark}`,
  `" + (globalThis.wasRun = true) + "${mark}`,
  `'] || (globalThis.wasRun = true) || ['${mark}`,
  `\${globalThis.wasRun = true} ${mark}`,
  `{"signal": "${mark}"}`,
  `&lt;${mark}&amp;`,
  `]]>${mark}<!--`,
  `line\nbreak\r\n${mark}\u2028`,
  `nul \u0000 bell \u0007 lone \uD800 other \uDC00 ${mark} \uFFFF`,
  `\u202E right to left ${mark}`,
  `${mark} ${'long '.repeat(200)}`,
  `😀 ${mark}`,
];

/** Where vega takes a text as it is. */
const literal =
  /^(description|title\.(text|subtitle)(\.\d+)?|((axes|legends)\.\d+|marks\.\d+\.axes\.\d+)\.(title|description)|signals\.\d+\.value\.\d+|data\.\d+\.values\.\d+\.\w+)$/;

describe.each(names)('a name such as %j', (name) => {
  const charts = [...everyChart(name)];

  it('stands in each chart as text, in well-formed XML that runs nothing', async () => {
    for (const [kind, spec] of charts) {
      const svg = await renderSvg(spec);
      expect(faultOf(svg), kind).toBe('');
      expect(/<(script|a|image|foreignObject)\b/.exec(svg), kind).toBeNull();
      expect(globalThis.wasRun, kind).toBeUndefined();
      expect(svg.includes(mark), kind).toBe(true);
    }
  });

  it('is in what is compiled a literal, and never an expression or a field path', () => {
    for (const [kind, spec] of charts) {
      const places = placesOf(mark, compile(structuredClone(spec) as unknown as Parameters<typeof compile>[0]).spec);
      expect(places.length).toBeGreaterThan(0);
      expect([kind, ...places.filter((place) => !literal.test(place))]).toEqual([kind]);
    }
  });
});

const plainSvgs = new Map<string, string>();

it.each([
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'datum',
  'event',
  'null',
  'NaN',
  '',
  ' ',
  '0',
  '1e3',
])('a thing named %j is drawn like any other', async (name) => {
  for (const [kind, spec] of everyChart(name)) {
    const shape = (svg: string) =>
      svg.replaceAll(
        /<text [^>]*>[^<]*<\/text>|aria-label="[^"]*"|(width|height|viewBox|transform|x2|y2)="[^"]*"/g,
        '',
      );
    const numberOfMarks = (svg: string) => shape(svg).match(/<(path|line|rect|g)\b/g)?.length;
    const plain = plainSvgs.get(kind) ?? (await renderSvg(everyChart('plain').get(kind) ?? spec));
    plainSvgs.set(kind, plain);
    expect(numberOfMarks(await renderSvg(spec)), kind).toBe(numberOfMarks(plain));
  }
});

it('the search for expressions finds a title of an encoding, whose quotes vega-lite does not all escape', () => {
  const hostile = `\\" + (globalThis.wasRun = true) + "${mark}`;
  const encoding = { x: { field: 'x', type: 'quantitative', title: hostile } } as const;
  const { spec } = compile({ data: { values: [{ x: 1 }] }, mark: 'point', encoding });
  expect(placesOf(mark, spec).some((place) => place.endsWith('.signal'))).toBe(true);
  // vega reads the rest of it as code, and here refuses an assignment.
  expect(() => new View(parse(spec), { renderer: 'none' })).toThrow();
});

/** Where in a value a word stands: keys joined by dots. */
function placesOf(word: string, value: unknown, path = ''): readonly string[] {
  if (typeof value === 'string') return value.includes(word) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [
    ...(key.includes(word) ? [`${path} has the key`] : []),
    ...placesOf(word, part, path === '' ? key : `${path}.${key}`),
  ]);
}

/** What keeps a text from being XML: a character, an entity or a tag that has no end; '' is nothing. */
function faultOf(xml: string): string {
  // oxlint-disable-next-line no-control-regex -- XML has none of them
  if (/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/.test(xml)) return 'a control character';
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(xml))
    return 'half a surrogate pair';
  if (/&(?!(amp|lt|gt|quot|#\w+);)/.test(xml)) return 'a bare &';
  const open: string[] = [];
  let rest = xml;
  for (const tag of xml.matchAll(/<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const [text, closing, name = '', attributes = '', single] = tag;
    if (/\son\w+=/.test(attributes.replaceAll(/"[^"]*"/g, ''))) return 'an attribute that is run';
    rest = rest.replace(text, '');
    if (closing === '/') {
      if (open.pop() !== name) return `</${name}> without its beginning`;
    } else if (single !== '/') open.push(name);
  }
  return open.length > 0 ? `<${open.join('>, <')}> without an end` : /[<>]/.test(rest) ? 'a bare < or >' : '';
}
