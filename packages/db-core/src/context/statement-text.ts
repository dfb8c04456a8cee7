/**
 * A statement without what it quotes: comments become a space, string constants `''`, quoted identifiers their bare
 * name, all in lower case with single spaces. Undefined where the text cannot be read that way: an escape by `U&`, or a
 * quote or comment without an end.
 */
export function bareStatement(text: string): string | undefined {
  let bare = '';
  for (let at = 0; at < text.length; ) {
    const quoted = quotedAt(text, at);
    if (quoted === undefined) {
      bare += text[at] ?? '';
      at += 1;
      continue;
    }
    if (quoted.end === undefined) return undefined;
    bare += quoted.becomes;
    at = quoted.end;
  }
  if (/u&\s*(?:''|")/i.test(bare) || /\bu&/i.test(bare)) return undefined;
  return bare.toLowerCase().replace(/\s+/g, ' ').trim();
}

interface Quoted {
  readonly becomes: string;
  /** Behind its last character; undefined without an end. */
  readonly end: number | undefined;
}

function quotedAt(text: string, at: number): Quoted | undefined {
  const two = text.slice(at, at + 2);
  if (two === '--') return { becomes: ' ', end: lineEnd(text, at) };
  if (two === '/*') return { becomes: ' ', end: commentEnd(text, at) };
  const character = text[at];
  if (character === "'") {
    // E'…' takes backslash escapes; the E may not be the end of a word.
    const escapes = /(?:^|[^a-z0-9_$])e$/i.test(text.slice(Math.max(0, at - 2), at));
    return { becomes: "''", end: quoteEnd(text, at, "'", escapes) };
  }
  if (character === '"') {
    const end = quoteEnd(text, at, '"', false);
    return { becomes: end === undefined ? '' : ` ${text.slice(at + 1, end - 1)} `, end };
  }
  if (character !== '$' || /[a-z0-9_$]/i.test(text[at - 1] ?? ' ')) return undefined;
  const [tag] = /^\$(?:[a-z_\u0080-\uffff][a-z0-9_\u0080-\uffff]*)?\$/i.exec(text.slice(at, at + 80)) ?? [];
  if (tag === undefined) return undefined;
  const close = text.indexOf(tag, at + tag.length);
  return { becomes: "''", end: close < 0 ? undefined : close + tag.length };
}

/** A line comment ends at either line break. */
function lineEnd(text: string, at: number): number {
  const found = /[\n\r]/.exec(text.slice(at));
  return found === null ? text.length : at + found.index + 1;
}

/** Comments of PostgreSQL nest. */
function commentEnd(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at += 2) {
    const two = text.slice(at, at + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/') depth -= 1;
    else at -= 1;
    if (depth === 0) return at + 2;
  }
  return undefined;
}

function quoteEnd(text: string, from: number, quote: string, escapes: boolean): number | undefined {
  for (let at = from + 1; at < text.length; at += 1) {
    if (escapes && text[at] === '\\') at += 1;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return undefined;
}
