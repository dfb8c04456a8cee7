import { afterEach, describe, expect, it, vi } from 'vitest';
import { ChartError, type ChartSpec, isChartError, renderSvg, rocChart } from '../src/index.ts';
import { thresholdRows } from './support/samples.ts';

const spec = rocChart({ curves: [{ name: 'v1', rows: thresholdRows() }] });

/** A specification that is none of this package's. */
const other = (parts: Readonly<Record<string, unknown>>) =>
  ({
    ...spec,
    layer: [{ mark: 'point', encoding: { x: { field: 'x', type: 'quantitative' } }, ...parts }],
  }) as unknown as ChartSpec;

describe('without the libraries', () => {
  afterEach(() => {
    vi.doUnmock('vega');
    vi.doUnmock('vega-lite');
    vi.resetModules();
  });

  it.each(['vega', 'vega-lite'])(
    'a missing %s is an error that says what to install, and specifications are made',
    async (library) => {
      vi.resetModules();
      vi.doMock(library, () => {
        throw new Error(`Cannot find package '${library}'`);
      });
      const fresh = await import('../src/index.ts');
      const made = fresh.rocChart({ curves: [{ name: 'v1', rows: thresholdRows() }] });
      expect(made).toEqual(spec);
      const error: unknown = await fresh.renderSvg(made).catch((thrown: unknown) => thrown);
      expect(fresh.isChartError(error) && error.code).toBe('missing_library');
      expect(String(error)).toContain('npm install vega@6 vega-lite@6.4.3');
    },
  );
});

it('is one SVG document', async () => {
  const svg = await renderSvg(spec);
  expect(svg.startsWith('<svg ')).toBe(true);
  expect(svg.endsWith('</svg>')).toBe(true);
  expect(svg).toContain('xmlns="http://www.w3.org/2000/svg"');
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
