import type { Catalog, RelationRow } from './catalog.ts';
import { reachableNames } from './reach.ts';
import type { Rule } from './rule.ts';
import { allTables, columnOf, exemptTable, ruleOver, tenantTables } from './select.ts';

const tenantDefault = `current_setting('app.tenant'::text)`;
const tenantCheck = `(tenant_id <> ''::text)`;

/** Why a table's tenant_id is not what it has to be; undefined when it is. */
function faultOfTenantColumn(catalog: Catalog, table: RelationRow): string | undefined {
  const column = columnOf(catalog, table.name, 'tenant_id');
  if (column === undefined) return 'has no column tenant_id';
  if (column.type !== 'text') return `has a tenant_id of type ${column.type}; it has to be text`;
  if (!column.notNull) return 'has a tenant_id that may be null: a foreign key with a null in it is not checked at all';
  if (!column.deterministic)
    return 'has a tenant_id with a collation that is not deterministic: two different tenants could be equal';
  if (column.position !== 1) return `has tenant_id as column ${column.position}; it has to stand first`;
  return undefined;
}

export const tableRules: readonly Rule[] = [
  ruleOver(
    'row-security-enabled',
    'Without row level security every role with a grant reads the rows of all tenants.',
    (catalog) => allTables(catalog).filter(({ rowSecurity }) => !rowSecurity),
    ({ name }) => ({
      object: name,
      message: `has row level security disabled. Run: alter table ${name} enable row level security;`,
    }),
  ),
  ruleOver(
    'row-security-forced',
    'Without FORCE the owner of a table, and whoever inherits that role, reads the rows of all tenants.',
    (catalog) => allTables(catalog).filter(({ forced }) => !forced),
    ({ name }) => ({
      object: name,
      message: `does not force row level security on its owner. Run: alter table ${name} force row level security;`,
    }),
  ),
  {
    name: 'tenant-column',
    protects: 'A row without a tenant_id belongs to nobody, so no policy can keep it from anybody.',
    check: ({ catalog }) =>
      tenantTables(catalog).flatMap((table) => {
        const fault = faultOfTenantColumn(catalog, table);
        return fault === undefined
          ? []
          : [{ object: table.name, message: `${fault}. Make the table anew with tenantTable() and db:generate.` }];
      }),
  },
  ruleOver(
    'tenant-default',
    'An insert that does not name its tenant has to get the tenant of its context, and no other.',
    (catalog) =>
      tenantTables(catalog).filter(({ name }) => {
        const column = columnOf(catalog, name, 'tenant_id');
        return column !== undefined && (column.generated || column.identity || column.default !== tenantDefault);
      }),
    ({ name }) => ({
      object: name,
      message: `has another default for tenant_id. Run: alter table ${name} alter column tenant_id set default current_setting('app.tenant');`,
    }),
  ),
  ruleOver(
    'tenant-check',
    'After a SET LOCAL has ended the setting reads as an empty string; rows of such a tenant would be shared by all sessions without a context.',
    (catalog) =>
      tenantTables(catalog).filter(
        ({ name }) =>
          columnOf(catalog, name, 'tenant_id') !== undefined &&
          !catalog.constraints.some(
            ({ table, type, condition, enforced }) =>
              table === name && type === 'c' && enforced && condition === tenantCheck,
          ),
      ),
    ({ name }) => ({
      object: name,
      message: `lets tenant_id be empty. Run: alter table ${name} add constraint ${name}_tenant_id_check check (tenant_id <> '');`,
    }),
  ),
  ruleOver(
    'no-legacy-inheritance',
    'A child table by INHERITS has neither the policies nor the row security of its parent.',
    (catalog) => catalog.relations.filter(({ inherits }) => inherits.length > 0),
    ({ name, inherits }) => ({
      object: name,
      message: `inherits from ${inherits.join(', ')}. Run: alter table ${name} no inherit ${inherits[0]}; partitions take the place of INHERITS.`,
    }),
  ),
  ruleOver(
    'primary-key',
    'Without a primary key the same row can be there twice, an update by key finds both, and nothing keeps it apart from another tenant’s.',
    (catalog) =>
      [...tenantTables(catalog), ...catalog.relations.filter(({ name }) => name === exemptTable)].filter(
        ({ name }) => !catalog.constraints.some(({ table, type }) => table === name && type === 'p'),
      ),
    ({ name }) => ({
      object: name,
      message: `has no primary key. Declare one with tenant_id in front (by hand: alter table ${name} add constraint ${name}_pk primary key (tenant_id, …);).`,
    }),
  ),
  ruleOver(
    'tables-in-public',
    'A table, view or sequence outside of schema public is seen by no other rule, yet the tables’ owner or the runtime roles can reach it.',
    (catalog) => {
      const names = reachableNames(catalog);
      return catalog.elsewhere.filter(
        ({ owner, grantees }) =>
          owner === catalog.server.login || names.has(owner) || grantees.some((name) => names.has(name)),
      );
    },
    ({ schema, name, kind }) => ({
      object: `${schema}.${name}`,
      message: `is a ${kind === 'S' ? 'sequence' : kind === 'v' || kind === 'm' ? 'view' : 'table'} outside of schema public. ${kind === 'S' ? 'Drop it: its gaps tell one tenant how much the others write.' : 'Move it into a migration, or drop it.'}`,
    }),
  ),
];
