import { runtimeRoles } from '../runtime-roles.ts';
import type { Catalog } from './catalog.ts';
import type { RoleRow } from './catalog-access.ts';
import { bypasses, bypassingReach, isRuntimeRole, owners } from './reach.ts';
import type { Finding, Rule } from './rule.ts';
import { ruleOver } from './select.ts';

function excessOf(role: RoleRow): readonly string[] {
  return [
    ...(role.login ? ['login'] : []),
    ...(role.superuser ? ['superuser'] : []),
    ...(role.bypassRls ? ['bypassrls'] : []),
    ...(role.createRole ? ['createrole'] : []),
    ...(role.createDb ? ['createdb'] : []),
    ...(role.replication ? ['replication'] : []),
  ];
}

function runtimeRoleFindings(catalog: Catalog): readonly Finding[] {
  return runtimeRoles.flatMap((name): readonly Finding[] => {
    const role = catalog.roles.find((candidate) => candidate.name === name);
    if (role === undefined) {
      return [
        { object: `role ${name}`, message: 'does not exist. Run db:migrate, or have an administrator create it.' },
      ];
    }
    const excess = excessOf(role);
    if (excess.length === 0) return [];
    return [
      {
        object: `role ${name}`,
        message: `has ${excess.join(', ')}. An administrator runs: alter role ${name} ${excess.map((word) => (word === 'superuser' ? 'nosuperuser' : `no${word}`)).join(' ')};`,
      },
    ];
  });
}

export const roleRules: readonly Rule[] = [
  {
    name: 'runtime-roles',
    protects: 'Tenant transactions run as these roles: one that may bypass row level security reads all tenants.',
    check: ({ catalog }) => runtimeRoleFindings(catalog),
  },
  ruleOver(
    'runtime-roles-unrelated',
    'A runtime role that is a member of another role can become it, and has whatever that role has.',
    (catalog) => catalog.memberships.filter(({ member }) => isRuntimeRole(member)),
    ({ role, member }) => ({
      object: `role ${member}`,
      message: `is a member of ${role}. Run: revoke ${role} from ${member};`,
    }),
  ),
  ruleOver(
    'runtime-roles-own-nothing',
    'An owner may lift row level security from what it owns.',
    (catalog) => catalog.ownerships.filter(({ role }) => isRuntimeRole(role)),
    ({ role, count, example }) => ({
      object: `role ${role}`,
      message: `owns ${count === 1 ? example : `${count} objects, among them ${example}`}. Run: reassign owned by ${role} to the owner;`,
    }),
  ),
  {
    name: 'one-owner',
    protects: 'What another role owns is not under the migrations: that role can change or open it.',
    check: ({ catalog }) => {
      const { login, database, databaseOwner, schemaOwner } = catalog.server;
      const superusers = new Set(catalog.roles.filter(({ superuser }) => superuser).map(({ name }) => name));
      // Of a superuser they are on managed servers, and a superuser can do everything anyway.
      const around = [
        { name: 'public', owner: schemaOwner, what: 'schema' },
        { name: database, owner: databaseOwner, what: 'database' },
      ].filter(({ owner }) => owner !== 'pg_database_owner' && !superusers.has(owner));
      const owned = [
        ...catalog.relations.map(({ name, owner, kind }) => ({ name, owner, what: kind === 'v' ? 'view' : 'table' })),
        ...catalog.functions.filter(({ schema }) => schema === 'public').map((row) => ({ ...row, what: 'function' })),
        ...catalog.types.filter(({ schema }) => schema === 'public').map((row) => ({ ...row, what: 'type' })),
        ...around,
      ];
      return owned
        .filter(({ owner }) => owner !== login)
        .map(({ name, owner, what }) => ({
          object: what === 'table' ? name : `${what} ${name}`,
          message: `belongs to ${owner}, not to ${login}. Run as ${owner} or an administrator: alter ${what} ${name} owner to ${login};`,
        }));
    },
  },
  ruleOver(
    'owner-unprivileged',
    'FORCE does not hold for a superuser or BYPASSRLS: functions and views of such an owner read all tenants.',
    (catalog) => {
      const names = owners(catalog);
      return catalog.roles
        .filter((role) => names.has(role.name))
        .flatMap((role) => {
          const through = bypasses(role) ? [role.name] : bypassingReach(catalog, role.name);
          return through.length === 0 ? [] : [{ name: role.name, through }];
        });
    },
    ({ name, through }) => ({
      object: `role ${name}`,
      message: through.includes(name)
        ? 'owns tables or functions and is a superuser or has BYPASSRLS. Give them to an owner without these rights.'
        : `owns tables or functions and may become ${through.join(', ')}, for which row level security does not hold. Revoke that membership.`,
    }),
  ),
];
