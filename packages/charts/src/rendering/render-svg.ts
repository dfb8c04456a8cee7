import type { ChartSpec } from '../chart-spec.ts';
import { ChartError } from '../errors.ts';
import { type Loader, type Logger, loadVega } from './load-vega.ts';

/**
 * A chart as an SVG document. It needs no browser, canvas or fonts, and the same specification gives the same bytes; only
 * where the package `canvas` is installed, vega measures texts by it and by the machine's fonts.
 *
 * Nothing is loaded: a specification whose data or images lie at an address fails. Expressions in a specification are run
 * as code: those of this package hold none but constant ones, and others belong here only if one would run them.
 * @throws ChartError `missing_library`: vega or vega-lite is not installed, and the message says how to; `render_failed`:
 * the specification cannot be drawn.
 */
export async function renderSvg(spec: ChartSpec): Promise<string> {
  const { compile, parse, View } = await loadVega();
  const { logger, errors } = recordErrors();
  try {
    // A copy: vega marks the data that it is given.
    const compiled = compile(structuredClone(spec), { logger }).spec;
    const view = new View(parse(compiled), { renderer: 'none', logger, loader: refuseAddresses });
    const svg = await view.toSVG();
    view.finalize();
    // vega tells its logger of what fails while data are read, and draws the rest.
    if (errors.length > 0) throw new AggregateError(errors, 'vega reports errors.');
    return svg;
  } catch (cause) {
    throw new ChartError('render_failed', 'The specification cannot be drawn: the cause says why.', { cause });
  }
}

const refuse = async (): Promise<never> => {
  throw new Error('Charts are drawn from the data in their specification: nothing is loaded from an address.');
};
const refuseAddresses: Loader = { load: refuse, sanitize: refuse };

function recordErrors() {
  const errors: unknown[] = [];
  const logger: Logger = {
    level: () => 1,
    error: (...told) => {
      errors.push(...told);
      return logger;
    },
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
  };
  return { logger, errors };
}
