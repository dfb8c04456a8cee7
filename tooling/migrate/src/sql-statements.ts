/** One statement of a file, without the semicolon that ends it. */
export interface SqlStatement {
  readonly text: string;
  /** The line of the file, from 1, on which its first word stands. */
  readonly line: number;
}

/**
 * Cuts SQL into its statements as psql does: at semicolons outside of quotes, dollar quotes, comments, parentheses and
 * the body of a `begin atomic` function. Comments in front of a statement are left out, those inside it stay.
 */
export function splitSqlStatements(sql: string): readonly SqlStatement[] {
  const statements: SqlStatement[] = [];
  let start: number | undefined;
  let parentheses = 0;
  let depth = 0;
  let words: string[] = [];
  let at = 0;

  const finish = (end: number): void => {
    if (start !== undefined) {
      statements.push({ text: sql.slice(start, end).trimEnd(), line: lineOf(sql, start) });
    }
    start = undefined;
    parentheses = 0;
    depth = 0;
    words = [];
  };

  while (at < sql.length) {
    const commentEnd = skipComment(sql, at);
    if (commentEnd !== undefined) {
      at = commentEnd;
      continue;
    }
    const char = sql[at] ?? '';
    if (char === ';' && parentheses === 0 && depth === 0) {
      finish(at);
      at++;
      continue;
    }
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    start ??= at;
    const quotedEnd = skipQuoted(sql, at);
    if (quotedEnd !== undefined) {
      at = quotedEnd;
      continue;
    }
    if (char === '(') parentheses++;
    if (char === ')') parentheses = Math.max(0, parentheses - 1);
    const word = wordAt(sql, at);
    if (word === undefined) {
      at++;
      continue;
    }
    words.push(word.toLowerCase());
    depth += nesting(words, depth);
    at += word.length;
  }
  finish(sql.length);
  return statements;
}

/** `begin atomic … end`, with `case … end` inside it: the only place where a semicolon does not end a statement. */
function nesting(words: readonly string[], depth: number): number {
  const word = words.at(-1);
  const definesRoutine = words[0] === 'create' && words.slice(1, 4).some((w) => w === 'function' || w === 'procedure');
  if (!definesRoutine) return 0;
  if (word === 'atomic' && words.at(-2) === 'begin') return 1;
  if (depth > 0 && word === 'case') return 1;
  if (depth > 0 && word === 'end') return -1;
  return 0;
}

function skipComment(sql: string, at: number): number | undefined {
  if (sql.startsWith('--', at)) {
    const end = sql.indexOf('\n', at);
    return end === -1 ? sql.length : end + 1;
  }
  if (!sql.startsWith('/*', at)) return undefined;
  let open = 1;
  let next = at + 2;
  while (next < sql.length && open > 0) {
    if (sql.startsWith('/*', next)) {
      open++;
      next += 2;
    } else if (sql.startsWith('*/', next)) {
      open--;
      next += 2;
    } else next++;
  }
  return next;
}

function skipQuoted(sql: string, at: number): number | undefined {
  const char = sql[at];
  if (char === '"') return closingQuote(sql, at + 1, '"', false);
  if (char === "'") {
    const before = sql[at - 1] ?? '';
    const escapes = /[eE]/.test(before) && !/[\w$]/.test(sql[at - 2] ?? '');
    return closingQuote(sql, at + 1, "'", escapes);
  }
  if (char !== '$' || /[\w$]/.test(sql[at - 1] ?? '')) return undefined;
  const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(sql.slice(at, at + 66))?.[0];
  if (tag === undefined) return undefined;
  const end = sql.indexOf(tag, at + tag.length);
  return end === -1 ? sql.length : end + tag.length;
}

function closingQuote(sql: string, from: number, quote: string, escapes: boolean): number {
  for (let at = from; at < sql.length; at++) {
    if (escapes && sql[at] === '\\') at++;
    else if (sql[at] === quote) {
      // A doubled quote opens the same literal again at once.
      if (sql[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return sql.length;
}

function wordAt(sql: string, at: number): string | undefined {
  return /^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/.exec(sql.slice(at, at + 256))?.[0];
}

export function lineOf(sql: string, offset: number): number {
  let line = 1;
  for (let at = sql.indexOf('\n'); at !== -1 && at < offset; at = sql.indexOf('\n', at + 1)) line++;
  return line;
}
