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
  const { logger, loader, errors } = recordErrors();
  try {
    // A copy: vega marks the data that it is given.
    const compiled = compile(structuredClone(spec), { logger }).spec;
    const view = new View(parse(compiled), { renderer: 'none', logger, loader });
    const svg = await view.toSVG();
    view.finalize();
    // vega draws what is left when data or images cannot be loaded, and where an operator fails.
    if (errors.length > 0) throw new AggregateError(errors, 'vega reports errors.');
    const opening = `<svg role="graphics-document" aria-label="${escapeXml(spec.description)}" `;
    // By a function: in a text, `$&` and its like stand for what was replaced.
    return svg.replace('<svg ', () => opening);
  } catch (cause) {
    throw new ChartError('render_failed', 'The specification cannot be drawn: the cause says why.', { cause });
  }
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

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
  const refuse = async (): Promise<never> => {
    const error = new Error(
      'Charts are drawn from the data in their specification: nothing is loaded from an address.',
    );
    errors.push(error);
    throw error;
  };
  const loader: Loader = { load: refuse, sanitize: refuse };
  return { logger, loader, errors };
}
