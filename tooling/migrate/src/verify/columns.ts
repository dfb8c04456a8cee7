import type { Catalog, ColumnRow } from './catalog.ts';
import type { Rule } from './rule.ts';
import { ruleOver, tenantTables } from './select.ts';

/** Columns of the tenants' tables; partitions and views have theirs from these. */
function tenantColumns(catalog: Catalog): readonly ColumnRow[] {
  const known = new Set(tenantTables(catalog).map(({ name }) => name));
  return catalog.columns.filter(({ table }) => known.has(table));
}

const anotherClock =
  /\b(now|transaction_timestamp|statement_timestamp|clock_timestamp|timeofday)\(|\b(CURRENT_TIMESTAMP|CURRENT_DATE|CURRENT_TIME|LOCALTIME)/i;

const object = ({ table, name }: ColumnRow) => `${table}.${name}`;

export const columnRules: readonly Rule[] = [
  ruleOver(
    'id-column',
    'A counted id tells a tenant how many rows there are; one that is no v7 uuid has no time in it, and a row inserted by hand needs a default.',
    (catalog) =>
      tenantColumns(catalog).filter(
        (column) => column.name === 'id' && (column.type !== 'uuid' || column.default !== 'public.app_uuid_v7()'),
      ),
    (column) => ({
      object: object(column),
      message: `is no uuid with the default app_uuid_v7(). Run: alter table ${column.table} alter column id set default app_uuid_v7();`,
    }),
  ),
  ruleOver(
    'times-with-zone',
    'A time without a zone, or finer than the milliseconds that a JavaScript Date holds, is read back as another one.',
    (catalog) =>
      tenantColumns(catalog).filter(
        ({ type }) => /^time(stamp)?\b/.test(type) && type !== 'timestamp(3) with time zone',
      ),
    (column) => ({ object: object(column), message: `is ${column.type}; times are timestamptz(3).` }),
  ),
  ruleOver(
    'defaults-by-app-now',
    'A default from another clock than app_now() ignores the time that a transaction was given.',
    (catalog) => tenantColumns(catalog).filter((column) => anotherClock.test(column.default ?? '')),
    (column) => ({
      object: object(column),
      message: `has a default from another clock. Run: alter table ${column.table} alter column ${column.name} set default app_now();`,
    }),
  ),
];
