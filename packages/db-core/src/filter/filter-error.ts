import { DomainError } from '../errors.ts';

/** Where in a filter something is wrong: a place in its text, or the path to a part of its object form. */
export type FilterPlace =
  | { readonly offset: number; readonly line: number; readonly column: number }
  | { readonly path: string };

interface FilterProblem {
  readonly place: FilterPlace;
  /** What is wrong, without the user's own words: they may hold another system's secrets, and errors are logged. */
  readonly problem: string;
  /** What would have been right here. */
  readonly expected?: readonly string[];
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** Counts lines and columns from 1 and the offset from 0, all in UTF-16 code units as JavaScript strings do. */
export function placeInText(text: string, offset: number): FilterPlace {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf('\n');
  return { offset, line: before.split('\n').length, column: offset - lastBreak };
}

/** The `invalid_input` that every refused filter or order ends in: what, where, and what was expected instead. */
export function filterError(subject: 'filter' | 'order', wrong: FilterProblem): DomainError {
  const where =
    'path' in wrong.place
      ? `at ${wrong.place.path === '' ? 'its top' : wrong.place.path}`
      : `at line ${wrong.place.line}, column ${wrong.place.column}`;
  const expected = wrong.expected ?? [];
  const hint = expected.length === 0 ? '' : ` Expected ${listInWords(expected)}.`;
  return new DomainError('invalid_input', `The ${subject} is not valid ${where}: ${wrong.problem}.${hint}`, {
    details: { ...wrong.place, ...(expected.length === 0 ? {} : { expected }), ...wrong.details },
  });
}

function listInWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
