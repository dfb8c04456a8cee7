// What XML 1.0 cannot hold, lone surrogates included, and what would turn the reading direction of the text beside it.
const unprintable =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/**
 * A text of a tenant as one line that may stand in a chart: what an SVG cannot hold becomes U+FFFD, white space one
 * blank, and what is longer than `limit` characters is cut, with an ellipsis. Markup is left as it is: vega escapes it.
 */
export function plainText(text: string, limit: number): string {
  const characters = Array.from(text.replace(/\s+/g, ' ').replace(unprintable, '\uFFFD').trim());
  return characters.length <= limit ? characters.join('') : `${characters.slice(0, limit - 1).join('')}…`;
}
