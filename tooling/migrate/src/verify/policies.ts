import type { PolicyRow } from './catalog.ts';
import type { Rule } from './rule.ts';
import { partitions, ruleOver, tenantTables } from './select.ts';

/** As pg_get_expr writes it when search_path is empty, on PostgreSQL 15 to 18. */
const ownRows = `(tenant_id = ( SELECT NULLIF(current_setting('app.tenant'::text, true), ''::text) AS "nullif"))`;
const isDispatcher = `(CURRENT_USER = 'app_dispatcher'::name)`;

/** Tables that hold no user data, so that the dispatcher may look at the rows of all tenants. */
export const dispatcherTables: readonly string[] = ['tenants', 'tenant_work'];

const isPublic = ({ roles }: PolicyRow) => roles.length === 1 && roles[0] === 'PUBLIC';

function isTenantPolicy(policy: PolicyRow): boolean {
  return (
    policy.permissive &&
    policy.command === '*' &&
    isPublic(policy) &&
    policy.using === ownRows &&
    policy.withCheck === ownRows
  );
}

function isDispatcherPolicy(policy: PolicyRow): boolean {
  return (
    dispatcherTables.includes(policy.table) &&
    policy.permissive &&
    policy.command === 'r' &&
    isPublic(policy) &&
    policy.using === isDispatcher &&
    policy.withCheck === null
  );
}

const isHolding = (policy: PolicyRow) => isTenantPolicy(policy) || isDispatcherPolicy(policy);

const condition = `tenant_id = (select nullif(current_setting('app.tenant', true), ''))`;

export const policyRules: readonly Rule[] = [
  ruleOver(
    'tenant-policy',
    'Each table needs the one policy by which a transaction sees and writes the rows of its own tenant only.',
    (catalog) =>
      tenantTables(catalog).filter(
        ({ name }) => catalog.policies.filter((policy) => policy.table === name && isTenantPolicy(policy)).length !== 1,
      ),
    ({ name }) => ({
      object: name,
      message: `has to have exactly one tenant policy. Run: create policy ${name}_tenant_policy on ${name} for all to public using (${condition}) with check (${condition});`,
    }),
  ),
  ruleOver(
    'no-other-policy',
    'Permissive policies add up: one more opens what the tenant policy closes.',
    (catalog) => {
      const known = new Set(tenantTables(catalog).map(({ name }) => name));
      return catalog.policies.filter((policy) => known.has(policy.table) && policy.permissive && !isHolding(policy));
    },
    ({ table, name }) => ({
      object: `${table}.${name}`,
      message: `is neither the tenant policy nor, on ${dispatcherTables.join(' and ')}, the dispatcher's. Run: drop policy ${name} on ${table};`,
    }),
  ),
  ruleOver(
    'no-restrictive-policy',
    'Citus turns restrictive policies into permissive ones on its shards, and rows leak.',
    (catalog) => catalog.policies.filter(({ permissive }) => !permissive),
    ({ table, name }) => ({
      object: `${table}.${name}`,
      message: `is restrictive. Run: drop policy ${name} on ${table};`,
    }),
  ),
  ruleOver(
    'dispatcher-policy',
    'Without its policy the dispatcher sees no tenant’s work, and nothing that is due is ever done.',
    (catalog) =>
      tenantTables(catalog).filter(
        ({ name }) =>
          dispatcherTables.includes(name) &&
          catalog.policies.filter((policy) => policy.table === name && isDispatcherPolicy(policy)).length !== 1,
      ),
    ({ name }) => ({
      object: name,
      message: `has to have exactly one dispatcher policy. Run: create policy ${name}_dispatcher_policy on ${name} for select to public using (current_user = 'app_dispatcher');`,
    }),
  ),
  ruleOver(
    'partition-without-policy',
    'A policy on a partition opens a second way to its rows, past the parent.',
    (catalog) => {
      const known = new Set(partitions(catalog).map(({ name }) => name));
      return catalog.policies.filter((policy) => known.has(policy.table));
    },
    ({ table, name }) => ({
      object: `${table}.${name}`,
      message: `stands on a partition. Run: drop policy ${name} on ${table};`,
    }),
  ),
];
