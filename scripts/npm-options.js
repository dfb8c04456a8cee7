// `npm run db:rollback 005 --dry-run`: npm takes --dry-run for itself, and the command would really roll back.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every option of a db:* command, and whether a value follows it. */
export const optionsOfCommands = {
  env: true,
  directory: true,
  json: false,
  yes: false,
  tenant: true,
  'dry-run': false,
  from: true,
  to: true,
  service: false,
  summary: false,
  brief: false,
  rename: true,
  name: true,
  custom: true,
  'with-dependents': false,
  port: true,
  'dead-after-days': true,
  'drop-after-days': true,
  'months-ahead': true,
  'undelivered-after-days': true,
};

// npm completes what begins as an option of its own: with npm 11, --to=005 is its --token-description.
const completed = { to: ['token_description'] };

/**
 * What to say when npm took options of a command for itself; undefined when it took none. An option that arrived by
 * `--` as well was meant, wherever npm has its own from (`npm_config_yes` in the shell, a line in .npmrc).
 */
export function describeTakenByNpm(parameters, environment = process.env) {
  const event = environment.npm_lifecycle_event ?? '';
  if (!event.startsWith('db:') || !(environment.npm_config_user_agent ?? '').startsWith('npm/')) return undefined;
  const configured = readConfigured(environment);
  const taken = Object.entries(optionsOfCommands).flatMap(([name, takesValue]) => {
    const variable = name.replaceAll('-', '_');
    const value = [variable, ...(completed[name] ?? [])]
      .filter((candidate) => !configured.has(candidate))
      .map((candidate) => environment[`npm_config_${candidate}`])
      .find((candidate) => candidate !== undefined && candidate !== '' && candidate !== 'false');
    const arrived = parameters.some((text) => text === `--${name}` || text.startsWith(`--${name}=`));
    return value === undefined || arrived ? [] : [{ name, takesValue, value }];
  });
  if (taken.length === 0) return undefined;
  const names = taken.map(({ name }) => `--${name}`).join(' and ');
  return `npm took ${names} for itself. Write: npm run ${event} -- ${rewrite(parameters, taken).join(' ')}`;
}

/** `--tenant acme` leaves its value among the parameters; which one it is can be said where there is only one. */
function rewrite(parameters, taken) {
  const orphans = taken.filter(({ takesValue, value }) => takesValue && value === 'true');
  if (orphans.length > 0 && (orphans.length > 1 || parameters.length !== 1)) {
    return [...taken.map(({ name }) => `--${name}`), '…'];
  }
  const options = taken.flatMap(({ name, takesValue, value }) => {
    if (!takesValue) return [`--${name}`];
    return value === 'true' ? [`--${name}`, ...parameters.map(quote)] : [`--${name}=${quote(value)}`];
  });
  return orphans.length > 0 ? options : [...parameters.map(quote), ...options];
}

function quote(text) {
  return /^[\w./:=@-]+$/.test(text) ? text : `"${text.replace(/["\\$`]/g, '\\$&')}"`;
}

/** The names that a file of npm sets: npm hands those on in the same way as options of its command line. */
function readConfigured(environment) {
  const files = [
    environment.npm_config_userconfig,
    environment.npm_config_globalconfig,
    join(environment.npm_config_local_prefix ?? process.cwd(), '.npmrc'),
  ];
  return new Set(files.flatMap((file) => (file === undefined ? [] : namesIn(file))));
}

function namesIn(file) {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => /^\s*([\w-]+)\s*(=|$)/.exec(line)?.[1]?.replaceAll('-', '_') ?? []);
  } catch {
    return [];
  }
}
