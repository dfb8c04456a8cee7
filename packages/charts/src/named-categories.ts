import type { Json } from './chart-spec.ts';
import { CHART_LIMITS } from './limits.ts';
import { plainText } from './plain-text.ts';

export interface NamedCategories {
  /** The parameter that holds the names; for `params` of the whole chart. */
  readonly param: { readonly [key: string]: Json };
  /** A scale domain in the order of the names. */
  readonly domain: readonly number[];
  /** For axes and legends. */
  readonly labelExpr: string;
  /** What readers of the screen say of an axis or legend of this title; else they would read positions. */
  readonly describe: (title: string) => string;
}

/**
 * Stands positions in the place of names, which axes and legends look up again.
 *
 * A name of a tenant so never becomes an expression, a field path or a key: vega-lite puts the titles of encodings and
 * the values of a sort into expressions without escaping all of them, and vega groups by keys of plain objects, in which
 * `__proto__` is lost. It is only ever an element of a parameter's value. Two of the same name stay two.
 */
export function namedCategories(param: string, names: readonly string[]): NamedCategories {
  const shown = names.map((name) => plainText(name, CHART_LIMITS.nameLength));
  return {
    param: { name: param, value: shown },
    domain: names.map((_, position) => position),
    labelExpr: `${param}[datum.value]`,
    describe: (title) => `${title}: ${shown.join(', ')}`,
  };
}
