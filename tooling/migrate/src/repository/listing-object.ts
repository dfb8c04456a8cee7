import type { ListingChange } from '../listing-change.ts';

/** The object that a line of the listing is about. */
export interface ListingObject {
  readonly kind: string;
  /** As SQL writes it without its schema: `tenants`, `app_now()`; for parts of a table, the part. */
  readonly name: string;
  /** The table of a column, constraint, index, policy or trigger. */
  readonly table: string | undefined;
  /** What is behind the name. */
  readonly detail: string;
  /** Equal for two lines about the same object. */
  readonly key: string;
}

const partKinds: ReadonlySet<string> = new Set(['column', 'constraint', 'index', 'policy', 'trigger', 'rule']);
const identifier = '(?:"(?:[^"]|"")+"|[^".: ]+)';
const part = new RegExp(`^(\\w+) (${identifier})\\.(${identifier}): ?([\\s\\S]*)$`);
const whole = new RegExp(
  `^(table|view|materialized view|foreign table|sequence|type|statistics) (${identifier}): ?([\\s\\S]*)$`,
);
const routine = /^function ((?:"(?:[^"]|"")+"|[^"(]+)\(.*?\)): (owner [\s\S]*)$/;

export function parseListingLine(line: string): ListingObject {
  const inTable = part.exec(line);
  if (inTable?.[1] !== undefined && partKinds.has(inTable[1])) {
    const [, kind, table = '', name = '', detail = ''] = inTable;
    return { kind, table, name, detail, key: `${kind} ${table}.${name}` };
  }
  const object = whole.exec(line);
  if (object?.[1] !== undefined) {
    const [, kind, name = '', detail = ''] = object;
    return { kind, table: undefined, name, detail, key: `${kind} ${name}` };
  }
  const called = routine.exec(line);
  if (called?.[1] !== undefined) {
    return {
      kind: 'function',
      table: undefined,
      name: called[1],
      detail: called[2] ?? '',
      key: `function ${called[1]}`,
    };
  }
  // Grants, comments and default privileges are their own whole text; of a comment, what it is on.
  const comment = /^(comment on (?:table|view|column|function) \S+?(?:\(.*?\))?): ([\s\S]*)$/.exec(line);
  if (comment?.[1] !== undefined) {
    return {
      kind: 'comment',
      table: undefined,
      name: comment[1].slice('comment on '.length),
      detail: comment[2] ?? '',
      key: comment[1],
    };
  }
  const kind = line.startsWith('grant ') ? 'grant' : 'other';
  return { kind, table: undefined, name: line.slice(kind === 'grant' ? 'grant '.length : 0), detail: '', key: line };
}

export interface ChangedObjects {
  readonly made: readonly ListingObject[];
  readonly gone: readonly ListingObject[];
  readonly changed: readonly { readonly before: ListingObject; readonly after: ListingObject }[];
}

export function changedObjects(change: ListingChange): ChangedObjects {
  const before = new Map(change.removed.map((line) => [parseListingLine(line).key, parseListingLine(line)]));
  const after = new Map(change.added.map((line) => [parseListingLine(line).key, parseListingLine(line)]));
  return {
    made: [...after.values()].filter((object) => !before.has(object.key)),
    gone: [...before.values()].filter((object) => !after.has(object.key)),
    changed: [...after.values()].flatMap((object) => {
      const old = before.get(object.key);
      return old === undefined ? [] : [{ before: old, after: object }];
    }),
  };
}
