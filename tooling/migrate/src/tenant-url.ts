import { type Environment, variableOf } from './environment.ts';
import type { Output } from './output.ts';

/** What `--tenant` says, else DEFAULT_TENANT. Not checked: see `checkTenant`. */
export function tenantOf(environment: Environment, given: string | undefined): string | undefined {
  return given ?? variableOf(environment, 'DEFAULT_TENANT');
}

/** In psql and SQL without a tenant every table looks empty. */
export function warnWithoutTenant(output: Output, tenant: string | undefined): void {
  if (tenant !== undefined) return;
  output.warn(
    'No tenant is set, so every table of tenants looks empty. Name one with --tenant ID, or set DEFAULT_TENANT.',
  );
}

/** `-c name=value …` as libpq and the server read it: blanks and backslashes in a value are escaped. */
export function startupOptions(settings: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(settings)
    .flatMap(([name, value]) => (value === undefined ? [] : [`-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`]))
    .join(' ');
}

/** The same URL with settings of the session in it. Not through a connection pooler, which refuses them. */
export function urlWithSettings(url: string, settings: Readonly<Record<string, string | undefined>>): string {
  const changed = new URL(url);
  const options = [changed.searchParams.get('options') ?? '', startupOptions(settings)]
    .filter((part) => part !== '')
    .join(' ');
  changed.searchParams.delete('options');
  if (options === '') return changed.toString();
  // Not by searchParams.set: it writes a blank as +, which libpq and postgres.js do not read back.
  const query = changed.searchParams.toString();
  changed.search = `${query === '' ? '' : `${query}&`}options=${encodeURIComponent(options)}`;
  return changed.toString();
}
