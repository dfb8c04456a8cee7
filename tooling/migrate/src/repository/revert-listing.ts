import { exitCodes, MigrateError } from '../errors.ts';
import { diffListings } from '../listing-change.ts';
import type { Dependency } from './dependencies.ts';
import { liftForce } from './lift-force.ts';
import { changedObjects, type ListingObject } from './listing-object.ts';
import { orderTables } from './order-tables.ts';

/**
 * The statements that bring a database from one listing back to another. Without CASCADE: what nobody knew to depend on
 * an object is an error. Refuses to bring back a table or a column: its rows are gone.
 *
 * `after` stands between the tables that go and the functions: what the listing does not know (a package's down.sql).
 */
export function revertListing(
  from: readonly string[],
  to: readonly string[],
  dependencies: readonly Dependency[],
  after: readonly string[],
): readonly string[] {
  const { made: back, gone, changed } = changedObjects(diffListings(from, to));
  const lost = back.find(({ kind }) => kind === 'table' || kind === 'column' || kind === 'sequence');
  if (lost !== undefined) {
    throw new MigrateError(
      'irreversible',
      `The migration dropped ${lost.key}, and what it held is gone. Write a migration by hand that makes it anew.`,
      exitCodes.refused,
    );
  }
  const wholes = gone.filter(
    ({ table, kind }) => table === undefined && kind !== 'grant' && kind !== 'comment' && kind !== 'other',
  );
  const droppedKeys = new Set(wholes.map(({ key }) => key));
  const isOnDropped = (object: ListingObject) =>
    dependencies.some((dependency) => dependency.from === object.key && droppedKeys.has(dependency.to));
  const replaced = changed.filter(({ after: now }) => replacedKinds.has(now.kind));
  const altered = changed.filter(({ after: now }) => !replacedKinds.has(now.kind));
  const partsGone = [...gone.filter(({ table }) => table !== undefined), ...replaced.map(({ before }) => before)]
    .filter((object) => !isOnDropped(object))
    .sort((a, b) => rank(a) - rank(b));
  const rightsGone = gone.filter(
    (object) => (object.kind === 'grant' || object.kind === 'comment') && !isOnDropped(object),
  );
  const order = orderWholes(wholes, dependencies).filter(
    (object) => !isOnDropped(object) || object.kind !== 'table' || !isPartition(object),
  );
  const comesBack = [...back, ...replaced.map(({ after: now }) => now)].sort((a, b) => rank(b) - rank(a));
  const lateKinds = new Set(['function', 'type']);
  return [
    ...rightsGone.map(dropStatement),
    ...partsGone.map(dropStatement),
    ...breakCycles(wholes, dependencies),
    ...order.filter(({ kind }) => !lateKinds.has(kind)).map(dropStatement),
    ...after,
    ...order.filter(({ kind }) => lateKinds.has(kind)).map(dropStatement),
    ...uncheckedBodies([...comesBack, ...altered.map(({ after: now }) => now)]),
    ...comesBack.filter(({ kind }) => kind === 'function').flatMap((object) => makeStatements(object, from)),
    ...altered.flatMap(({ before, after: now }) => alterStatements(before, now)),
    ...comesBack.filter(({ kind }) => kind !== 'function').flatMap((object) => makeStatements(object, from)),
  ];
}

/**
 * With row_security off, the check of a body in SQL over a forced table is refused, though the body was checked where it
 * was written. By set_config, which psql takes without a transaction, too.
 */
function uncheckedBodies(objects: readonly ListingObject[]): readonly string[] {
  return objects.some(({ kind, detail }) => kind === 'function' && /\\n LANGUAGE sql\\n/.test(detail))
    ? ["do $bodies$ begin perform set_config('check_function_bodies', 'off', true); end $bodies$;"]
    : [];
}

/** Kinds that are dropped and made again when they differ. */
const replacedKinds: ReadonlySet<string> = new Set(['constraint', 'index', 'policy', 'trigger', 'view']);

/** Foreign keys go before the keys they need, columns last. */
function rank({ kind, detail }: ListingObject): number {
  if (kind === 'constraint') return detail.startsWith('FOREIGN KEY') ? 1 : 4;
  return { view: 0, trigger: 2, policy: 2, index: 3, column: 5 }[kind] ?? 6;
}

/** Dependents first. Parts stand for their tables. */
function orderWholes(wholes: readonly ListingObject[], dependencies: readonly Dependency[]): readonly ListingObject[] {
  const { order } = orderTables(
    wholes.map(({ key }) => key),
    wholeReferences(dependencies),
  );
  const byKey = new Map(wholes.map((object) => [object.key, object]));
  return order.toReversed().flatMap((key) => byKey.get(key) ?? []);
}

function wholeReferences(dependencies: readonly Dependency[]): readonly Dependency[] {
  return dependencies.map(({ from, to }) => ({ from: wholeOf(from), to: wholeOf(to) }));
}

function wholeOf(key: string): string {
  const match = /^(?:column|constraint|index|policy|trigger|rule) ((?:"(?:[^"]|"")+"|[^".]+))\./.exec(key);
  return match?.[1] === undefined ? key : `table ${match[1]}`;
}

/** Tables that refer to each other: the foreign key goes first. */
function breakCycles(wholes: readonly ListingObject[], dependencies: readonly Dependency[]): readonly string[] {
  const { cyclic } = orderTables(
    wholes.map(({ key }) => key),
    wholeReferences(dependencies),
  );
  return cyclic.flatMap(({ from, to }) => {
    const constraints = dependencies.filter(
      (dependency) =>
        dependency.from.startsWith('constraint ') && wholeOf(dependency.from) === from && wholeOf(dependency.to) === to,
    );
    return [...new Set(constraints.map((dependency) => dependency.from))].map((key) => {
      const [table = '', name = ''] = key.slice('constraint '.length).split('.');
      return `alter table public.${table} drop constraint ${name};`;
    });
  });
}

function isPartition({ detail }: ListingObject): boolean {
  return detail.includes(', partition DEFAULT, of ');
}

function dropStatement({ kind, name, table, detail }: ListingObject): string {
  switch (kind) {
    case 'table':
    case 'view':
    case 'materialized view':
    case 'foreign table':
    case 'type':
      return `drop ${kind === 'type' && detail.includes('domain ') ? 'domain' : kind} public.${name};`;
    case 'sequence':
      return `drop sequence if exists public.${name};`;
    case 'function':
      return `drop ${/, CREATE OR REPLACE PROCEDURE /.test(detail) ? 'procedure' : 'function'} if exists public.${name};`;
    case 'statistics':
      return `drop statistics public.${name};`;
    case 'column':
      return `alter table public.${table} drop column ${name};`;
    case 'constraint':
      return `alter table public.${table} drop constraint ${name};`;
    case 'index':
      return `drop index public.${name};`;
    case 'policy':
    case 'trigger':
    case 'rule':
      return `drop ${kind} ${name} on public.${table};`;
    case 'grant':
      return `revoke ${qualifyRight(name).replace(/ to (\S+)( with grant option)?$/, ' from $1')};`;
    case 'comment':
      return `comment on ${qualifyTarget(name)} is null;`;
    default:
      throw unknownKind(name);
  }
}

function makeStatements({ kind, name, table, detail }: ListingObject, from: readonly string[]): readonly string[] {
  const text = unescapeLine(detail);
  switch (kind) {
    case 'constraint': {
      const statement = `alter table public.${table} add constraint ${name} ${text};`;
      const parent = /^FOREIGN KEY .*? REFERENCES public\.(\S+?)\(/.exec(text)?.[1];
      if (parent === undefined) return [statement];
      const lifted = [...new Set([unquote(table ?? ''), unquote(parent)])].map((lift) => ({
        name: lift,
        partitioned: from.some((line) => line.startsWith(`table ${lift}: `) && line.includes(', partition by ')),
      }));
      return liftForce(lifted, [statement]);
    }
    case 'index':
    case 'trigger':
      return [`${text};`];
    case 'function':
      return [`${text.replace(/^owner \S+, /, '')};`];
    case 'policy': {
      const policy = /^(permissive|restrictive) for (\w+) to (.*?)( using [\s\S]*?)?( with check [\s\S]*)?$/.exec(text);
      if (policy === null) throw unknownKind(`policy ${name}`);
      const [, as, command, roles, using = '', check = ''] = policy;
      return [`create policy ${name} on public.${table} as ${as} for ${command} to ${roles}${using}${check};`];
    }
    case 'view':
      throw new MigrateError(
        'irreversible',
        `The migration changed or dropped the view ${name}. Write the migration that brings it back by hand.`,
      );
    case 'grant':
      return [`grant ${qualifyRight(name)};`];
    case 'comment':
      return [`comment on ${qualifyTarget(name)} is ${quoteText(text)};`];
    default:
      throw unknownKind(`${kind} ${name}`);
  }
}

function alterStatements(before: ListingObject, now: ListingObject): readonly string[] {
  switch (now.kind) {
    case 'function':
    case 'comment':
      return makeStatements(now, []);
    case 'table':
      return alterTable(before, now);
    case 'column':
      return alterColumn(before, now);
    default:
      throw unknownKind(now.key);
  }
}

function alterTable(before: ListingObject, now: ListingObject): readonly string[] {
  const flag = (word: string, on: string, off: string) => {
    const [was, is] = [before, now].map(({ detail }) => !detail.includes(`, ${word}`));
    return was === is ? [] : [`alter table public.${now.name} ${is === true ? on : off} row level security;`];
  };
  const statements = [...flag('no row security', 'enable', 'disable'), ...flag('not forced', 'force', 'no force')];
  if (statements.length === 0) throw unknownKind(now.key);
  return statements;
}

/** Type, NOT NULL and default; generated and identity columns are for a hand. */
function alterColumn(before: ListingObject, now: ListingObject): readonly string[] {
  if (`${before.detail}${now.detail}`.includes(' generated ')) throw unknownKind(now.key);
  const [was, is] = [before, now].map(({ detail }) => {
    const match = /^(.*?)( not null)?(?: default ([\s\S]*))?$/.exec(unescapeLine(detail));
    return { type: match?.[1] ?? '', notNull: match?.[2] !== undefined, fallback: match?.[3] };
  });
  if (was === undefined || is === undefined) return [];
  const column = `alter table public.${now.table} alter column ${now.name}`;
  return [
    ...(was.type === is.type ? [] : [`${column} type ${is.type};`]),
    ...(was.notNull === is.notNull ? [] : [`${column} ${is.notNull ? 'set' : 'drop'} not null;`]),
    ...(was.fallback === is.fallback
      ? []
      : [is.fallback === undefined ? `${column} drop default;` : `${column} set default ${is.fallback};`]),
  ];
}

/** `select on table x to r`: the listing leaves out the schema; a column's grant names it behind the privilege. */
function qualifyRight(name: string): string {
  const column = /^(\w+) on column ([^.]+)\.(\S+) to (.*)$/.exec(name);
  if (column !== null) return `${column[1]} (${column[3]}) on table public.${column[2]} to ${column[4]}`;
  return name.replace(
    /^(\w+) on (table|view|sequence|function|foreign table|materialized view) /,
    (_all, privilege: string, kind: string) => {
      const noun = kind === 'view' || kind === 'foreign table' || kind === 'materialized view' ? 'table' : kind;
      return `${privilege} on ${noun} public.`;
    },
  );
}

function qualifyTarget(name: string): string {
  return name.replace(/^(table|view|column|function) /, '$1 public.');
}

function unescapeLine(line: string): string {
  return line.replace(/\\(\\|n)/g, (_all, char: string) => (char === 'n' ? '\n' : '\\'));
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function unknownKind(what: string): MigrateError {
  return new MigrateError('irreversible', `How to bring back ${what} is not known. Write that rollback by hand.`);
}
