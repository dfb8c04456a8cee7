import type { SchemaTable, TableMark } from './packages.ts';
import { quoteIdentifier, quoteLiteral } from './quote.ts';

export const appendOnlyComment = 'append-only';

interface TableGrant {
  readonly role: string;
  readonly privileges: readonly string[];
}

function grantsOf(mark: TableMark): readonly TableGrant[] {
  return [
    {
      role: 'app_tenant',
      privileges: mark.appendOnly ? ['select', 'insert'] : ['select', 'insert', 'update', 'delete'],
    },
    { role: 'app_readonly', privileges: ['select'] },
    ...(mark.dispatcherMayLook ? [{ role: 'app_dispatcher', privileges: ['select'] }] : []),
  ];
}

/** FORCE, grants and the comment by which `db:verify` knows an append-only table. */
export function rightsOf(table: SchemaTable): readonly string[] {
  const name = quoteIdentifier(table.name);
  return [
    `ALTER TABLE ${name} FORCE ROW LEVEL SECURITY;`,
    ...grantsOf(table.mark).map(
      ({ role, privileges }) => `GRANT ${privileges.join(', ').toUpperCase()} ON ${name} TO ${role};`,
    ),
    ...(table.mark.appendOnly ? [`COMMENT ON TABLE ${name} IS ${quoteLiteral(appendOnlyComment)};`] : []),
  ];
}

/** What brings the rights of a table that exists to its mark, given the listing of the database before. */
export function changeRights(table: SchemaTable, listing: readonly string[]): readonly string[] {
  const name = quoteIdentifier(table.name);
  const wanted = new Set(
    grantsOf(table.mark).flatMap(({ role, privileges }) => privileges.map((privilege) => `${privilege} to ${role}`)),
  );
  const given = new Set(
    listing.flatMap((line) => {
      const match = /^grant (\w+) on table (\S+) to (app_\w+)$/.exec(line);
      return match?.[2] === table.name ? [`${match[1]} to ${match[3]}`] : [];
    }),
  );
  const isAppendOnly = listing.includes(`comment on table ${table.name}: ${appendOnlyComment}`);
  const sentence = (verb: string, right: string, preposition: string) => {
    const [privilege = '', role = ''] = right.split(' to ');
    return `${verb} ${privilege.toUpperCase()} ON ${name} ${preposition} ${role};`;
  };
  return [
    ...[...given].filter((right) => !wanted.has(right)).map((right) => sentence('REVOKE', right, 'FROM')),
    ...[...wanted].filter((right) => !given.has(right)).map((right) => sentence('GRANT', right, 'TO')),
    ...(table.mark.appendOnly === isAppendOnly
      ? []
      : [`COMMENT ON TABLE ${name} IS ${table.mark.appendOnly ? quoteLiteral(appendOnlyComment) : 'NULL'};`]),
  ];
}
