import { CHART_LIMITS } from './limits.ts';
import { plainText } from './plain-text.ts';

/**
 * A text that may stand as title of a chart or an axis.
 *
 * vega looks titles up in a plain object, which has `constructor` and its like from the start (vega-runtime 7.1.3: "Operator
 * not defined"): these get a blank behind them.
 */
export function vegaText(text: string): string {
  return text in {} ? `${text} ` : text;
}

/** A text of a tenant as the title of an axis, or where it is empty what the chart has. */
export function axisTitle(text: string, fallback: string): string {
  return vegaText(plainText(text, CHART_LIMITS.nameLength) || fallback);
}
