import { runtimeRoles } from '../runtime-roles.ts';
import type { Catalog } from './catalog.ts';
import type { RoleRow } from './catalog-access.ts';

/** What managed servers give their first login in place of superuser. */
export const providerRoles: readonly string[] = [
  'rds_superuser',
  'cloudsqlsuperuser',
  'alloydbsuperuser',
  'azure_pg_admin',
];

export const isRuntimeRole = (name: string) => (runtimeRoles as readonly string[]).includes(name);

/** All roles that `name` is a member of, directly or through others. Whether it inherits them is no matter: it may SET ROLE. */
export function reachOf({ memberships }: Catalog, name: string, except?: string): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { role, member } of memberships) {
      if (member !== next || role === except || found.has(role)) continue;
      found.add(role);
      open.push(role);
    }
  }
  return found;
}

/** A managed server's first login: whatever it makes, the owner too, it administers. */
export function isProviderLogin(catalog: Catalog, name: string): boolean {
  const reach = reachOf(catalog, name);
  return providerRoles.some((role) => role === name || reach.has(role));
}

/**
 * The members of the runtime roles, but the owner: service logins, and groups that stand between. Not a managed server's
 * first login that is their member by having made the owner, and by nothing else.
 */
export function services(catalog: Catalog): readonly RoleRow[] {
  const owner = catalog.server.login;
  return catalog.roles.filter(({ name }) => {
    if (name === owner || isRuntimeRole(name)) return false;
    const except = isProviderLogin(catalog, name) ? owner : undefined;
    return [...reachOf(catalog, name, except)].some(isRuntimeRole);
  });
}

/** Every role whose rights a service has: PUBLIC, the runtime roles, the services and what these are members of. */
export function reachableNames(catalog: Catalog): ReadonlySet<string> {
  const names = services(catalog).flatMap(({ name }) => [name, ...reachOf(catalog, name)]);
  return new Set(['PUBLIC', ...runtimeRoles, ...names]);
}

/** Who owns the tables and functions. */
export function owners(catalog: Catalog): ReadonlySet<string> {
  return new Set([
    ...catalog.relations.map(({ owner }) => owner),
    ...catalog.functions.filter(({ schema }) => schema === 'public').map(({ owner }) => owner),
  ]);
}

/** Row level security does not hold for it. */
export const bypasses = ({ superuser, bypassRls }: RoleRow) => superuser || bypassRls;

export function bypassingReach(catalog: Catalog, name: string): readonly string[] {
  const reach = reachOf(catalog, name);
  return catalog.roles.filter((role) => reach.has(role.name) && bypasses(role)).map((role) => role.name);
}
