import { expect, it } from 'vitest';
import { ChartError, type ChartSpec, isChartError, renderSvg, rocChart } from '../src/index.ts';
import { thresholdRows } from './support/samples.ts';

const spec = rocChart({ curves: [{ name: 'v1', rows: thresholdRows() }] });

/** A specification that is none of this package's. */
const other = (parts: Readonly<Record<string, unknown>>) =>
  ({
    ...spec,
    layer: [{ mark: 'point', encoding: { x: { field: 'x', type: 'quantitative' } }, ...parts }],
  }) as unknown as ChartSpec;

it('is one SVG document', async () => {
  const svg = await renderSvg(spec);
  expect(svg.startsWith('<svg ')).toBe(true);
  expect(svg.endsWith('</svg>')).toBe(true);
  expect(svg).toContain('xmlns="http://www.w3.org/2000/svg"');
});

it('bears a title as it was given, also one that a replacement would read as a pattern', async () => {
  const title = "Cost in $& and $' of $$";
  const svg = await renderSvg(rocChart({ curves: [{ name: 'v1', rows: thresholdRows() }], title }));
  const label = / aria-label="([^"]*)"/.exec(svg)?.[1];
  expect(label).toContain("Cost in $&amp; and $' of $$");
  expect(svg.match(/<svg /g)).toHaveLength(1);
});

it.each(['file:///etc/hostname', '/etc/hostname', 'http://127.0.0.1:9/rows.csv'])(
  'loads no data from %s',
  async (url) => {
    await expect(renderSvg(other({ data: { url } }))).rejects.toMatchObject({ code: 'render_failed' });
  },
);

it('loads no image', async () => {
  const image = { type: 'image', url: 'http://127.0.0.1:9/a.png', width: 20, height: 20 };
  await expect(renderSvg(other({ data: { values: [{ x: 1 }] }, mark: image }))).rejects.toMatchObject({
    code: 'render_failed',
  });
});

it.each([
  { what: 'no chart', bad: {} as ChartSpec },
  { what: 'a mark that is none', bad: other({ data: { values: [{ x: 1 }] }, mark: 'none' }) },
  {
    what: 'an expression that does not parse',
    bad: other({ data: { values: [{ x: 1 }] }, transform: [{ filter: 'datum.x >' }] }),
  },
])('$what fails with the cause', async ({ bad }) => {
  const error: unknown = await renderSvg(bad).catch((thrown: unknown) => thrown);
  expect(isChartError(error) && error.code).toBe('render_failed');
  expect(error instanceof ChartError && error.cause).toBeInstanceOf(Error);
});
