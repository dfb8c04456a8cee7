import { checkFilter } from './check-filter.ts';
import type { FilterFields } from './filter-fields.ts';
import type { CheckedFilter, FilterInput } from './filter-node.ts';
import { parseFilter } from './parse-filter.ts';

/**
 * Reads a filter given as text or as an object; none lets everything pass.
 *
 * @throws DomainError `invalid_input` with the place of what is wrong and what was expected there.
 */
export function readFilter<Fields extends FilterFields>(
  fields: Fields,
  input: FilterInput<Fields> | undefined,
): CheckedFilter {
  if (typeof input === 'string') return parseFilter(fields, input);
  return checkFilter(fields, input === undefined ? { and: [] } : input);
}
