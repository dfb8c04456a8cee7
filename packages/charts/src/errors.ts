/** `invalid_input`: rows or options that no chart can be made of. `missing_library`: vega or vega-lite is not installed. */
export type ChartErrorCode = 'invalid_input' | 'missing_library' | 'render_failed';

/** What every function of this package throws: `message` says what is wrong and how to mend it, and holds no value of the data. */
export class ChartError extends Error {
  override readonly name = 'ChartError';

  constructor(
    readonly code: ChartErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** True for a ChartError. */
export function isChartError(error: unknown): error is ChartError {
  return error instanceof ChartError;
}
