import { runtimeRoles } from '../runtime-roles.ts';
import { appendOnlyComment } from '../table-rights.ts';
import type { Catalog, RelationRow } from './catalog.ts';
import type { Grant } from './catalog-access.ts';
import { dispatcherTables } from './policies.ts';
import { isRuntimeRole, reachableNames } from './reach.ts';
import type { Finding, Rule } from './rule.ts';
import { exemptTable, ruleOver, tenantTables } from './select.ts';

type RuntimeRole = (typeof runtimeRoles)[number];

/** What `role` has to have on a table, and nothing else. */
function wantedOn({ name, comment, kind }: RelationRow, role: RuntimeRole): readonly string[] {
  if (role === 'app_dispatcher') return dispatcherTables.includes(name) ? ['select'] : [];
  if (role === 'app_readonly' || kind === 'v') return ['select'];
  return comment?.startsWith(appendOnlyComment) === true
    ? ['insert', 'select']
    : ['delete', 'insert', 'select', 'update'];
}

const asPrivilege = ({ privilege, grantable }: Grant) => (grantable ? `${privilege} with grant option` : privilege);

function differences(catalog: Catalog, role: RuntimeRole): readonly Finding[] {
  return tenantTables(catalog).flatMap((table): readonly Finding[] => {
    const wanted = wantedOn(table, role);
    const given = table.grants.filter(({ grantee }) => grantee === role).map(asPrivilege);
    const excess = given.filter((privilege) => !wanted.includes(privilege)).sort();
    const lacking = wanted.filter((privilege) => !given.includes(privilege));
    if (excess.length === 0 && lacking.length === 0) return [];
    const parts = [
      ...(excess.length === 0 ? [] : [`has ${excess.join(', ')} too much`]),
      ...(lacking.length === 0 ? [] : [`lacks ${lacking.join(', ')}`]),
    ];
    const grant = wanted.length === 0 ? '' : ` grant ${wanted.join(', ')} on ${table.name} to ${role};`;
    return [
      {
        object: table.name,
        message: `${role} ${parts.join(' and ')}. Run: revoke all on ${table.name} from ${role};${grant}`,
      },
    ];
  });
}

/** Roles beside the owner and the runtime roles. For one with BYPASSRLS, as backups have, a grant to read opens nothing more. */
function strangers(catalog: Catalog, grants: readonly Grant[]): readonly string[] {
  const bypassing = new Set(catalog.roles.filter(({ bypassRls }) => bypassRls).map(({ name }) => name));
  const found = grants.filter(
    ({ grantee, privilege }) =>
      grantee !== 'PUBLIC' && !isRuntimeRole(grantee) && !(privilege === 'select' && bypassing.has(grantee)),
  );
  return [...new Set(found.map(({ grantee }) => grantee))];
}

function revokeSystem(object: string, privilege: string, grantee: string): string {
  const [, table, column] = /^table (\S+) \((.*)\)$/.exec(object) ?? [];
  return table === undefined
    ? `revoke ${privilege} on ${object} from ${grantee};`
    : `revoke ${privilege} (${column}) on table ${table} from ${grantee};`;
}

export const grantRules: readonly Rule[] = [
  {
    name: 'tenant-grants',
    protects:
      'TRUNCATE, REFERENCES and TRIGGER go past row level security, and history that can be updated is none; what is lacking breaks the packages.',
    check: ({ catalog }) => differences(catalog, 'app_tenant'),
  },
  {
    name: 'readonly-grants',
    protects: 'Whoever looks through app_readonly, as Studio does, may look at every table and write to none.',
    check: ({ catalog }) => differences(catalog, 'app_readonly'),
  },
  {
    name: 'dispatcher-grants',
    protects: 'The dispatcher finds work across tenants; on any other table it would read what tenants wrote.',
    check: ({ catalog }) => differences(catalog, 'app_dispatcher'),
  },
  ruleOver(
    'view-grants',
    'A view through which runtime roles write, or the dispatcher looks, is a second way to a table.',
    (catalog) =>
      catalog.relations.filter(
        ({ kind, grants }) =>
          (kind === 'v' || kind === 'm' || kind === 'f' || kind === 'S') &&
          grants.some(
            (grant) =>
              isRuntimeRole(grant.grantee) && (asPrivilege(grant) !== 'select' || grant.grantee === 'app_dispatcher'),
          ),
      ),
    ({ name }) => ({
      object: name,
      message: `has grants beyond select to app_tenant and app_readonly. Run: revoke all on ${name} from ${runtimeRoles.join(', ')}; grant select on ${name} to app_tenant, app_readonly;`,
    }),
  ),
  ruleOver(
    'no-public-grants',
    'A grant to PUBLIC holds for every login of the server.',
    (catalog) => catalog.relations.filter(({ grants }) => grants.some(({ grantee }) => grantee === 'PUBLIC')),
    ({ name }) => ({ object: name, message: `is granted to PUBLIC. Run: revoke all on ${name} from public;` }),
  ),
  ruleOver(
    'no-other-grants',
    'Services get their rights as members of the runtime roles; a grant of its own to a login is missed when rights are taken away.',
    (catalog) =>
      catalog.relations
        .filter(({ name }) => name !== exemptTable)
        .flatMap((relation) => {
          const roles = strangers(catalog, relation.grants);
          return roles.length === 0 ? [] : [{ name: relation.name, roles: roles.join(', ') }];
        }),
    ({ name, roles }) => ({
      object: name,
      message: `is granted to ${roles}. Run: revoke all on ${name} from ${roles}; and make a service login a member with db:grant-runtime.`,
    }),
  ),
  ruleOver(
    'no-column-grants',
    'A grant on a column stays when the grant on its table is taken away, and \\dp is the only place that shows it.',
    (catalog) => catalog.columns.filter(({ grants }) => grants.length > 0),
    ({ table, name, grants }) => ({
      object: `${table}.${name}`,
      message: `has grants of its own to ${[...new Set(grants.map(({ grantee }) => grantee))].join(', ')}. Run: revoke all (${name}) on ${table} from these;`,
    }),
  ),
  ruleOver(
    'history-ungranted',
    'migration_history has no tenant and no policy: whoever can write to it can hide or repeat a migration.',
    (catalog) =>
      catalog.relations.filter(
        ({ name, grants }) =>
          name === exemptTable &&
          (strangers(catalog, grants).length > 0 ||
            grants.some(({ grantee }) => grantee === 'PUBLIC' || isRuntimeRole(grantee))),
      ),
    ({ name, grants }) => ({
      object: name,
      message: `has grants. Run: revoke all on ${name} from ${[...new Set(grants.map(({ grantee }) => grantee))].join(', ')};`,
    }),
  ),
  ruleOver(
    'default-privileges',
    'Default privileges open each new table, partition and sequence before any rule sees it.',
    (catalog) => catalog.defaultGrants.filter(({ objects }) => objects === 'tables' || objects === 'sequences'),
    ({ owner, objects, grantee, privilege }) => ({
      object: `default privileges of ${owner}`,
      message: `give ${privilege} on new ${objects} to ${grantee}. Run: alter default privileges for role ${owner} [in schema public] revoke all on ${objects} from ${grantee};`,
    }),
  ),
  ruleOver(
    'no-create-for-others',
    'Whoever may create in the database can put a table without policies, or a function that shadows one of ours, in the way.',
    (catalog) =>
      catalog.createGrants.filter(({ grantee }) => grantee !== catalog.server.login && grantee !== 'pg_database_owner'),
    ({ object, grantee }) => ({
      object,
      message: `lets ${grantee} create. Run: revoke create on ${object} from ${grantee};`,
    }),
  ),
  ruleOver(
    'schemas-closed',
    'What stands in another schema than public no migration made; where runtime roles may create, one tenant leaves a table for all others.',
    (catalog) => {
      const names = reachableNames(catalog);
      return catalog.schemaGrants.filter(({ grantee }) => names.has(grantee));
    },
    ({ schema, privilege, grantee }) => ({
      object: `schema ${schema}`,
      message: `gives ${privilege} to ${grantee}. Run: revoke all on schema ${schema} from ${grantee};`,
    }),
  ),
  ruleOver(
    'system-as-delivered',
    'The server keeps samples of all tenants’ values in pg_statistic, and functions that read files: only what it came with is granted on these.',
    (catalog) => {
      const names = reachableNames(catalog);
      return catalog.systemGrants.filter(({ grantee }) => names.has(grantee));
    },
    ({ object, privilege, grantee }) => ({
      object,
      message: `gives ${privilege} to ${grantee}. A superuser runs: ${revokeSystem(object, privilege, grantee)}`,
    }),
  ),
];
