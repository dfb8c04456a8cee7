import type { Catalog, ConstraintRow } from './catalog.ts';
import type { Finding, Rule } from './rule.ts';
import { allTables, exemptTable, partitions, ruleOver } from './select.ts';

const suffixes = { p: 'pk', u: 'key', x: 'key', f: 'fk', c: 'check', t: 'check' } as const;

function uniqueKeysWithoutTenant(catalog: Catalog): readonly Finding[] {
  const known = new Set(allTables(catalog).map(({ name }) => name));
  return catalog.indexes
    .filter(({ table, unique, columns }) => known.has(table) && unique && columns[0] !== 'tenant_id')
    .map(({ table, name, columns }) => ({
      object: `${table}.${name}`,
      message: `is unique on (${columns.join(', ')}) across tenants. Make it anew with tenant_id in front.`,
    }));
}

/** A key whose tenant is equal to another one by a collation or operators of its own: two tenants collide. */
function keysWithOtherEquality(catalog: Catalog): readonly Finding[] {
  const known = new Set(allTables(catalog).map(({ name }) => name));
  const exclusions = new Set(catalog.constraints.filter(({ type }) => type === 'x').map(describe));
  return catalog.indexes
    .filter((index) => known.has(index.table) && (index.unique || exclusions.has(describe(index))))
    .filter(({ columns, firstAsDeclared }) => columns[0] === 'tenant_id' && !firstAsDeclared)
    .map((index) => ({
      object: describe(index),
      message:
        'compares tenant_id by another collation or operator class than the column has, so two tenants may be one to it. Make it anew with plain tenant_id in front.',
    }));
}

function exclusionsWithoutTenant({ constraints }: Catalog): readonly Finding[] {
  return constraints
    .filter(({ type, columns, operators }) => type === 'x' && (columns[0] !== 'tenant_id' || operators[0] !== '='))
    .map(({ table, name }) => ({
      object: `${table}.${name}`,
      message: 'excludes rows of other tenants. Make it anew with "tenant_id with =" in front.',
    }));
}

function misnamed(catalog: Catalog): readonly Finding[] {
  const inParts = new Set(partitions(catalog).map(({ name }) => name));
  const ofConstraints = catalog.constraints
    .filter(({ table, inherited }) => !inherited && !inParts.has(table))
    .map(({ table, name, type }) => ({ table, name, endings: [suffixes[type]] as readonly string[] }));
  const ofIndexes = catalog.indexes
    .filter(({ table, inherited, ofConstraint }) => !inherited && !ofConstraint && !inParts.has(table))
    .map(({ table, name, unique }) => ({ table, name, endings: unique ? ['key', 'idx'] : ['idx'] }));
  return [...ofConstraints, ...ofIndexes]
    .filter(({ table, name, endings }) => !isNamed(name, table, endings))
    .map(({ table, name, endings }) => ({
      object: `${table}.${name}`,
      message: `has to be named ${table}_…_${endings.join(' or _')}: errors are told apart by constraint names. Run alter … rename.`,
    }));
}

function isNamed(name: string, table: string, endings: readonly string[]): boolean {
  return endings.some(
    (ending) => name === `${table}_${ending}` || (name.startsWith(`${table}_`) && name.endsWith(`_${ending}`)),
  );
}

const describe = ({ table, name }: Pick<ConstraintRow, 'table' | 'name'>) => `${table}.${name}`;

export const keyRules: readonly Rule[] = [
  {
    name: 'tenant-first-in-keys',
    protects:
      'Unique keys ignore row level security: without the tenant in front, a collision tells one tenant what another has, and blocks it.',
    check: ({ catalog }) => [
      ...uniqueKeysWithoutTenant(catalog),
      ...keysWithOtherEquality(catalog),
      ...exclusionsWithoutTenant(catalog),
    ],
  },
  ruleOver(
    'indexes-valid',
    'An index that is not valid serves no query, and a unique one that is not valid holds nothing apart.',
    (catalog) => catalog.indexes.filter(({ valid }) => !valid),
    ({ table, name }) => ({
      object: `${table}.${name}`,
      message: `is not valid. One of an unfinished migration: run db:migrate, which builds it again. One that a migration made: reindex index concurrently ${name}; one made by hand: drop index concurrently ${name};`,
    }),
  ),
  ruleOver(
    'constraints-validated',
    'A constraint that was never validated says nothing about the rows that were there before it.',
    (catalog) => catalog.constraints.filter(({ validated, enforced }) => !validated && enforced),
    (constraint) => ({
      object: describe(constraint),
      message: `is not valid for all rows. In one transaction lift FORCE on the tables it names, run: alter table ${constraint.table} validate constraint ${constraint.name}; and force them again.`,
    }),
  ),
  ruleOver(
    'constraints-enforced',
    'A constraint that is not enforced, or a foreign key whose triggers are disabled, lets every row through.',
    (catalog) => [
      ...catalog.constraints.filter(({ enforced }) => !enforced),
      ...catalog.triggers
        .filter(({ internal, enabled }) => internal && !enabled)
        .map(({ table, name, constraint }) => ({ table, name: constraint ?? name })),
    ],
    (constraint) => ({
      object: describe(constraint),
      message: `is not enforced. Run: alter table ${constraint.table} enable trigger all; or make the constraint anew.`,
    }),
  ),
  {
    name: 'constraint-names',
    protects: 'Errors of the database are told apart by the names of its constraints.',
    check: ({ catalog }) => misnamed(catalog).filter(({ object }) => !object.startsWith(`${exemptTable}.`)),
  },
];
