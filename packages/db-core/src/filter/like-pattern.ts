/**
 * Whether a text is LIKE a pattern, as PostgreSQL says: `%` is any run of characters, `_` one character (a code point), and
 * a backslash takes the next character as it is. Both in the same case for ILIKE.
 *
 * Without a regular expression: one of `%a%a%a%a…` would look for hours.
 */
export function isLike(text: string, pattern: string): boolean {
  const characters = Array.from(text);
  const parts = partsOf(pattern);
  let at = 0;
  let part = 0;
  // Where to go on when what follows the last `%` does not fit: it takes one character more. Earlier ones need not be tried.
  let resumeAt = 0;
  let resumePart = -1;
  while (at < characters.length) {
    const wanted = parts[part];
    if (wanted === ANY_RUN) {
      part += 1;
      resumePart = part;
      resumeAt = at;
    } else if (wanted !== undefined && (wanted === ANY_ONE || wanted === characters[at])) {
      part += 1;
      at += 1;
    } else if (resumePart >= 0) {
      part = resumePart;
      resumeAt += 1;
      at = resumeAt;
    } else {
      return false;
    }
  }
  while (parts[part] === ANY_RUN) part += 1;
  return part === parts.length;
}

const ANY_RUN = Symbol('%');
const ANY_ONE = Symbol('_');

function partsOf(pattern: string): readonly (string | symbol)[] {
  const parts: (string | symbol)[] = [];
  let isEscaped = false;
  for (const character of pattern) {
    if (!isEscaped && character === '\\') {
      isEscaped = true;
      continue;
    }
    parts.push(isEscaped ? character : character === '%' ? ANY_RUN : character === '_' ? ANY_ONE : character);
    isEscaped = false;
  }
  return parts;
}
