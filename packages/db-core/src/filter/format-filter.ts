import { textName } from './filter-fields.ts';
import type { CheckedFilter, FilterComparison, FilterNode, FilterValue } from './filter-node.ts';
import { RESERVED_WORDS } from './parse-filter.ts';

/** Writes a filter as text that `parseFilter` reads as the same filter. */
export function formatFilter(filter: CheckedFilter): string {
  return format(filter, 'or');
}

/** `around` is the loosest operator that may stand here without parentheses. */
function format(node: FilterNode, around: 'or' | 'and' | 'not'): string {
  if ('or' in node) {
    const text = node.or.map((part) => format(part, 'and')).join(' OR ');
    return around === 'or' ? text : `(${text})`;
  }
  if ('and' in node) {
    const text = node.and.map((part) => format(part, 'not')).join(' AND ');
    return around === 'not' ? `(${text})` : text;
  }
  if ('not' in node) return `NOT ${format(node.not, 'not')}`;
  return formatComparison(node);
}

function formatComparison(node: FilterComparison): string {
  const name = textName(node.field);
  const head = RESERVED_WORDS.has(name) ? `\`${name}\`` : name;
  const left = node.key === undefined ? head : `${head}.${quoteName(node.key)}`;
  const op = node.op.toUpperCase();
  if (node.value === undefined) return `${left} ${op}`;
  if (typeof node.value === 'object') return `${left} ${op} (${node.value.map(formatValue).join(', ')})`;
  return `${left} ${op} ${formatValue(node.value)}`;
}

function quoteName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}

function formatValue(value: FilterValue): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}
