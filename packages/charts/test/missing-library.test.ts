import { afterEach, describe, expect, it, vi } from 'vitest';
import { rocChart } from '../src/index.ts';
import { thresholdRows } from './support/samples.ts';

// In a file of its own: what vega was still loading when the modules were reset stays half loaded for those who ask after.

const spec = rocChart({ curves: [{ name: 'v1', rows: thresholdRows() }] });

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
