import { filterError, placeInText } from './filter-error.ts';

/** One word, literal or sign of a filter text. `text` is the value without its quotes. */
export interface FilterToken {
  readonly kind: 'word' | 'backticked' | 'doubleQuoted' | 'string' | 'number' | 'operator' | 'sign' | 'end';
  readonly text: string;
  readonly offset: number;
}

const WORD = /[\p{L}_][\p{L}\p{N}\p{M}_]*/uy;
const NUMBER = /[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|(?:inf|infinity)(?![\p{L}\p{N}_]))/iuy;
const OPERATOR = /!=|<>|<=|>=|=|<|>/y;
const SPACE = /\s+/y;
const QUOTED = { "'": 'string', '"': 'doubleQuoted', '`': 'backticked' } as const;

/**
 * Splits the text of a filter or an order into tokens, the last of which is `end`.
 *
 * Inside quotes the quote itself is written twice; a backslash is an ordinary character there, so that the `\%` of a
 * LIKE pattern arrives as it was typed.
 */
export function readTokens(subject: 'filter' | 'order', text: string): readonly FilterToken[] {
  const tokens: FilterToken[] = [];
  let offset = 0;

  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0];
  };
  const fail = (problem: string, expected: readonly string[]): never => {
    throw filterError(subject, { place: placeInText(text, offset), problem, expected });
  };
  const push = (kind: FilterToken['kind'], value: string, length: number): void => {
    tokens.push({ kind, text: value, offset });
    offset += length;
  };

  while (offset < text.length) {
    const space = match(SPACE);
    if (space !== undefined) {
      offset += space.length;
      continue;
    }
    const char = text.charAt(offset);
    const before = tokens.at(-1);
    if (char === '(' || char === ')' || char === ',' || (char === '.' && endsName(before))) {
      push('sign', char, 1);
    } else if (char === "'" || char === '"' || char === '`') {
      const end = endOfQuoted(text, offset, char);
      if (end === undefined) return fail('a quote is opened and never closed', [`a closing ${QUOTE_NAMES[char]}`]);
      push(QUOTED[char], text.slice(offset + 1, end).replaceAll(char + char, char), end + 1 - offset);
    } else {
      // A bare `inf` is a word, which may be a key as well as a value.
      const number = /[a-z]/i.test(char) ? undefined : match(NUMBER);
      const word = match(WORD);
      const operator = match(OPERATOR);
      if (number !== undefined) {
        push('number', number, number.length);
        if (match(WORD) !== undefined) return fail('a number runs into a word', ['a space', 'quotes around a string']);
      } else if (word !== undefined) push('word', word, word.length);
      else if (operator !== undefined) push('operator', operator, operator.length);
      else if (endsName(before)) {
        return fail('a character that is not part of a name or an operator', [
          'an operator',
          'backticks or double quotes around a name that holds other characters than letters, digits, _ and dots',
        ]);
      } else return fail('a character that has no meaning here', ['a name', 'a value', 'an operator']);
    }
  }
  tokens.push({ kind: 'end', text: '', offset: text.length });
  return tokens;
}

const QUOTE_NAMES = { "'": 'single quote', '"': 'double quote', '`': 'backtick' } as const;

function endsName(token: FilterToken | undefined): boolean {
  return token?.kind === 'word' || token?.kind === 'backticked' || token?.kind === 'doubleQuoted';
}

function endOfQuoted(text: string, start: number, quote: string): number | undefined {
  let end = text.indexOf(quote, start + 1);
  while (end !== -1 && text.charAt(end + 1) === quote) end = text.indexOf(quote, end + 2);
  return end === -1 ? undefined : end;
}
