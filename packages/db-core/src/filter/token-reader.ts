import { type FilterPlace, filterError, placeInText } from './filter-error.ts';
import type { FilterFields } from './filter-fields.ts';
import { type FilterToken, readTokens } from './filter-tokens.ts';
import type { ValueProblem } from './filter-value.ts';
import { type ResolvedField, resolvePath } from './resolve-field.ts';

/** Walks over the tokens of a filter or an order and says where something unexpected stands. */
export interface TokenReader {
  readonly peek: () => FilterToken;
  readonly next: () => FilterToken;
  /** Whether the next token is this word (in any case) or sign; takes it if so. */
  readonly take: (wordOrSign: string) => boolean;
  /** Takes a dotted name and finds the field that it means. */
  readonly field: (fields: FilterFields, reserved: ReadonlySet<string>) => ResolvedField;
  readonly fail: (problem: ValueProblem, at?: FilterToken) => never;
  readonly expected: (...words: readonly string[]) => never;
}

export function tokenReader(subject: 'filter' | 'order', text: string): TokenReader {
  const tokens = readTokens(subject, text);
  const end: FilterToken = { kind: 'end', text: '', offset: text.length };
  let position = 0;

  const peek = (): FilterToken => tokens[position] ?? end;
  const next = (): FilterToken => {
    const token = peek();
    position += 1;
    return token;
  };
  const fail = (problem: ValueProblem, at: FilterToken = peek()): never => {
    const place: FilterPlace = placeInText(text, at.offset);
    throw filterError(subject, { place, ...problem });
  };
  const expected = (...words: readonly string[]): never => fail({ problem: FOUND[peek().kind], expected: words });
  const take = (wordOrSign: string): boolean => {
    const token = peek();
    const same =
      (token.kind === 'word' || token.kind === 'sign') && token.text.toLowerCase() === wordOrSign.toLowerCase();
    if (same) position += 1;
    return same;
  };
  const segment = (token: FilterToken): string => {
    if (token.kind === 'string') {
      return fail({
        problem: 'a name stands in single quotes',
        expected: ['backticks or double quotes around a name'],
      });
    }
    return isName(token) ? next().text : expected('a name');
  };
  const field = (fields: FilterFields, reserved: ReadonlySet<string>): ResolvedField => {
    const start = peek();
    if (start.kind === 'word' && reserved.has(start.text.toLowerCase())) return expected('the name of a field');
    if (!isName(start) && start.kind !== 'string') return expected('the name of a field');
    const path = [segment(start)];
    while (take('.')) path.push(segment(peek()));
    const found = resolvePath(fields, path);
    return 'problem' in found ? fail(found, start) : found;
  };
  return { peek, next, take, field, fail, expected };
}

function isName(token: FilterToken): boolean {
  return token.kind === 'word' || token.kind === 'backticked' || token.kind === 'doubleQuoted';
}

/** What stands where something else was expected: the kind of it, never the text. */
const FOUND: Readonly<Record<FilterToken['kind'], string>> = {
  word: 'a word stands here',
  backticked: 'a name in backticks stands here',
  doubleQuoted: 'something in double quotes stands here',
  string: 'a string stands here',
  number: 'a number stands here',
  operator: 'an operator stands here',
  sign: 'a parenthesis, comma or dot stands here',
  end: 'the text ends here',
};
