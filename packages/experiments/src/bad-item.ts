import { DomainError, isDomainError, parseInput } from '@mcp-hub/db-core';
import { z } from 'zod';

/** An error of one item of a batch, that names it. */
export function badItem(list: string, index: number, name: string, rule: string): DomainError {
  const field = `${list}[${index}].${name}`;
  return new DomainError('invalid_input', `${field} ${rule}.`, { details: { field, index } });
}

/**
 * Checks one item of a batch by its schema.
 *
 * @throws DomainError `invalid_input` that names the item by its place in the batch.
 */
export function parseItem<Schema extends z.ZodType>(
  list: string,
  schema: Schema,
  given: unknown,
  index: number,
): z.output<Schema> {
  try {
    const [item] = parseInput(z.strictObject({ item: z.array(schema) }), { item: [given] }).item;
    return item as z.output<Schema>;
  } catch (error) {
    if (!isDomainError(error)) throw error;
    const named = (text: string) => text.replace('item[0]', `${list}[${index}]`);
    const field = named(String(error.details['field'] ?? ''));
    throw new DomainError(error.code, named(error.message), { details: { ...error.details, field, index } });
  }
}

const earliest = Date.UTC(2000);
const end = Date.UTC(2100);

/** Times that partitions and refreshes are made for. */
export function requireTime(list: string, index: number, name: string, ms: number): void {
  if (!(ms >= earliest && ms < end)) throw badItem(list, index, name, 'must be a time of the years 2000 to 2099');
}
