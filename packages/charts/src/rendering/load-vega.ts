import { ChartError } from '../errors.ts';

/** What vega and vega-lite tell of their work. */
export interface Logger {
  level(): number;
  error(...told: readonly unknown[]): this;
  warn(...told: readonly unknown[]): this;
  info(...told: readonly unknown[]): this;
  debug(...told: readonly unknown[]): this;
}

/** What vega reads addresses by. */
export interface Loader {
  load(address: string): Promise<never>;
  sanitize(address: string): Promise<never>;
}

interface View {
  toSVG(): Promise<string>;
  finalize(): unknown;
}

/** The part of vega and vega-lite that is used. Their own types would have to be installed for those of this package to be read. */
export interface Vega {
  readonly compile: (spec: unknown, options: { readonly logger: Logger }) => { readonly spec: unknown };
  readonly parse: (spec: unknown) => unknown;
  readonly View: new (
    runtime: unknown,
    options: { readonly renderer: 'none'; readonly logger: Logger; readonly loader: Loader },
  ) => View;
}

/**
 * vega and vega-lite, which are loaded when the first chart is rendered (0.3 s): specifications need neither.
 * @throws ChartError `missing_library`.
 */
export async function loadVega(): Promise<Vega> {
  try {
    const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
    return { compile, parse, View } as unknown as Vega;
  } catch (cause) {
    throw new ChartError(
      'missing_library',
      'renderSvg needs vega and vega-lite, which are not installed or cannot be loaded: npm install vega@6 vega-lite@6.4.3',
      { cause },
    );
  }
}
