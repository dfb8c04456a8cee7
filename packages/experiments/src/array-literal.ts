const special = /["\\]/;
const specials = /["\\]/g;
const quoted = (text: string) => (special.test(text) ? `"${text.replace(specials, '\\$&')}"` : `"${text}"`);

/** Texts that were checked as storable, as the text of an array. db-core's makers check each again, which is half of the time. */
export function textLiteral<Item>(items: readonly Item[], textOf: (item: Item) => string | null): string {
  let text = '{';
  for (const item of items) {
    const value = textOf(item);
    const element = value === null ? 'NULL' : quoted(value);
    text += text.length === 1 ? element : `,${element}`;
  }
  return `${text}}`;
}

/** Numbers, null where there is none, as the text of an array. */
export function numberLiteral<Item>(items: readonly Item[], numberOf: (item: Item) => number | null): string {
  let text = '{';
  for (const item of items) {
    const value = numberOf(item);
    const element = value === null ? 'NULL' : Object.is(value, -0) ? '-0' : `${value}`;
    text += text.length === 1 ? element : `,${element}`;
  }
  return `${text}}`;
}
