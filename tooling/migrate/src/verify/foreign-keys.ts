import type { Catalog, ConstraintRow } from './catalog.ts';
import type { Rule } from './rule.ts';
import { columnOf, ruleOver } from './select.ts';

const foreignKeys = ({ constraints }: Catalog) =>
  constraints.filter(({ type, inherited }) => type === 'f' && !inherited);

const describe = ({ table, name }: ConstraintRow) => `${table}.${name}`;

function isPaired({ columns, referencedColumns }: ConstraintRow): boolean {
  return columns[0] === 'tenant_id' && referencedColumns[0] === 'tenant_id';
}

const actionNames: Readonly<Record<string, string>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/** Two nullable columns that no check ties together: a null in one of them switches the check of the other off. */
function hasUncheckedHalf(catalog: Catalog, { table, columns }: ConstraintRow): boolean {
  const nullable = columns.filter((column) => columnOf(catalog, table, column)?.notNull === false);
  if (nullable.length < 2) return false;
  return !catalog.constraints.some(
    (candidate) =>
      candidate.table === table &&
      candidate.type === 'c' &&
      nullable.every((column) => candidate.columns.includes(column)) &&
      /null/i.test(candidate.condition ?? ''),
  );
}

export const foreignKeyRules: readonly Rule[] = [
  ruleOver(
    'tenant-paired-in-foreign-keys',
    'Foreign keys ignore row level security: without the tenant on both sides a row can refer to, and be deleted with, another tenant’s.',
    (catalog) => foreignKeys(catalog).filter((key) => !isPaired(key)),
    (key) => ({
      object: describe(key),
      message:
        'does not begin with tenant_id on both sides. Make it anew as (tenant_id, …) references … (tenant_id, …).',
    }),
  ),
  ruleOver(
    'foreign-key-actions',
    'SET NULL and SET DEFAULT would write tenant_id too, which fails or moves the row to the tenant of the context.',
    (catalog) => foreignKeys(catalog).filter((key) => /[nd]/.test(key.onDelete) || /[nd]/.test(key.onUpdate)),
    (key) => ({
      object: describe(key),
      message: `is ON DELETE ${actionNames[key.onDelete]} ON UPDATE ${actionNames[key.onUpdate]}. Make it anew with NO ACTION or CASCADE.`,
    }),
  ),
  ruleOver(
    'foreign-key-match',
    'A null in one column of a MATCH SIMPLE key leaves its other columns unchecked; MATCH FULL refuses every optional reference, because tenant_id is never null.',
    (catalog) => foreignKeys(catalog).filter((key) => key.match !== 's' || hasUncheckedHalf(catalog, key)),
    (key) => ({
      object: describe(key),
      message:
        key.match === 's'
          ? 'has several columns that may be null. Add a check that they are null together: num_nulls(…) in (0, n).'
          : 'is MATCH FULL. Make it anew without MATCH.',
    }),
  ),
  ruleOver(
    'no-cascade-across-packages',
    'Deleting in one domain must not silently delete in another: purge reports what is still referred to.',
    (catalog, { history }) =>
      foreignKeys(catalog).filter(({ table, references, onDelete }) => {
        const [from, to] = [history.packageOf.get(table), history.packageOf.get(references ?? '')];
        return onDelete === 'c' && from !== undefined && to !== undefined && from !== to;
      }),
    (key) => ({
      object: describe(key),
      message: `deletes rows when those of ${key.references}, a table of another package, go. Make it anew with NO ACTION.`,
    }),
  ),
  ruleOver(
    'tenants-unreferenced',
    'A context needs no row in tenants: a foreign key to it would refuse tenants that were never created.',
    (catalog) => foreignKeys(catalog).filter(({ references }) => references === 'tenants'),
    (key) => ({
      object: describe(key),
      message: `refers to tenants. Run: alter table ${key.table} drop constraint ${key.name};`,
    }),
  ),
  ruleOver(
    'partitioned-unreferenced',
    'Retention drops partitions; a foreign key to the table would refuse that.',
    (catalog) => {
      const partitioned = new Set(catalog.relations.filter(({ kind }) => kind === 'p').map(({ name }) => name));
      return foreignKeys(catalog).filter(({ references }) => references !== null && partitioned.has(references));
    },
    (key) => ({
      object: describe(key),
      message: `refers to the partitioned table ${key.references}. Keep the id as a plain value and drop the constraint.`,
    }),
  ),
];
