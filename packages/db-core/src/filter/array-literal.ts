/**
 * The text form of a PostgreSQL array. Bound as text and cast, it depends neither on the driver's array types (which it
 * asks the server for, or not) nor on its guess of the element type.
 */
export function arrayLiteral(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}
