import { FILTER_LIMITS } from '../limits.ts';
import { allowedNames, type FilterField, type FilterFields, isAttributePrefix } from './filter-fields.ts';
import { isStorable, NOT_STORABLE, type ValueProblem } from './filter-value.ts';

/** A declared field as it was named in a filter or an order. */
export interface ResolvedField {
  readonly name: string;
  readonly field: FilterField;
  readonly key: string | undefined;
}

/** Finds the field that a dotted name means: `name`, `attributes.name`, `tags.owner`, `tags.mlflow.source.name`. */
export function resolvePath(fields: FilterFields, path: readonly string[]): ResolvedField | ValueProblem {
  const [head = '', ...rest] = path;
  if (isAttributePrefix(head) && rest.length > 0) {
    const found = resolvePath(fields, rest);
    return 'field' in found && found.field.kind === 'map' ? unknownField(fields) : found;
  }
  const name = fields.names.get(head);
  if (name === undefined) return unknownField(fields);
  return resolveField(fields, name, rest.length === 0 ? undefined : rest.join('.'));
}

/** Finds a field by its declared name, and checks that it has a key if, and only if, it takes one. */
export function resolveField(
  fields: FilterFields,
  name: string,
  key: string | undefined,
): ResolvedField | ValueProblem {
  const field = Object.hasOwn(fields.fields, name) ? fields.fields[name] : undefined;
  if (field === undefined) return unknownField(fields);
  if (field.kind !== 'map') return key === undefined ? { name, field, key } : unknownField(fields);
  if (key === undefined || key === '') return { problem: 'the key is missing', expected: [`${name}.<key>`] };
  if (key.length > FILTER_LIMITS.keyLength) {
    const limit = FILTER_LIMITS.keyLength;
    return { problem: `a key is longer than ${limit} characters`, expected: [], details: { limit, got: key.length } };
  }
  return isStorable(key) ? { name, field, key } : NOT_STORABLE;
}

function unknownField(fields: FilterFields): ValueProblem {
  return { problem: 'there is no such field', expected: allowedNames(fields) };
}
