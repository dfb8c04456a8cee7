import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runRepositoryCli } from '@mcp-hub/migrate/repository';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { maintainCommand } from '../src/commands/maintain.ts';
import { tenantsCommand } from '../src/commands/tenants.ts';

const scripts = fileURLToPath(new URL('../../../scripts', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-hub-npm-'));
  writeFileSync(join(folder, '.npmrc'), '');
  // What stands behind the refusal prints what it was given.
  writeFileSync(
    join(folder, 'db.mjs'),
    `import { describeTakenByNpm } from ${JSON.stringify(`${scripts}/npm-options.js`)};
     console.log(describeTakenByNpm(process.argv.slice(3)) ?? 'runs ' + process.argv.slice(2).join(' '));`,
  );
  const names = ['rollback', 'reset', 'migrate', 'url', 'sql', 'generate', 'verify'];
  const commands = Object.fromEntries(names.map((name) => [`db:${name}`, `node db.mjs ${name}`]));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      name: 'x',
      scripts: { ...commands, 'db:real': `node ${JSON.stringify(`${scripts}/db.js`)} url` },
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(parameters: readonly string[], npmrc = '', variables: Readonly<Record<string, string>> = {}) {
  writeFileSync(join(folder, '.npmrc'), npmrc);
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const { stdout, stderr, status } = spawnSync('npm', ['run', '--silent', ...parameters], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...Object.fromEntries(own), npm_config_userconfig: join(folder, '.npmrc'), ...variables },
  });
  return { text: stdout.trim(), error: stderr.trim(), status };
}

test.each([
  ['db:rollback 005 --dry-run', 'npm took --dry-run for itself. Write: npm run db:rollback -- 005 --dry-run'],
  ['db:reset --env=staging', 'npm took --env for itself. Write: npm run db:reset -- --env=staging'],
  ['db:reset --env staging', 'npm took --env for itself. Write: npm run db:reset -- --env staging'],
  ['db:migrate --to=001', 'npm took --to for itself. Write: npm run db:migrate -- --to=001'],
  ['db:migrate --from=5 --yes', 'npm took --yes and --from for itself. Write: npm run db:migrate -- --yes --from=5'],
  ['db:url --service', 'npm took --service for itself. Write: npm run db:url -- --service'],
  ['db:sql select --tenant acme', 'npm took --tenant for itself. Write: npm run db:sql -- --tenant …'],
  ['db:generate --rename a.b:c', 'npm took --rename for itself. Write: npm run db:generate -- --rename a.b:c'],
  ['db:verify --json', 'npm took --json for itself. Write: npm run db:verify -- --json'],
  ['db:verify -- --json', 'runs verify --json'],
  ['db:verify', 'runs verify'],
])('npm run %s is held against what npm kept of it', (line, text) => {
  expect(npm(line.split(' '))).toMatchObject({ text });
});

test('what a file of npm says, or what arrived too, is not held against the command', () => {
  expect(npm(['db:verify'], 'yes=true\njson = true\n').text).toBe('runs verify');
  expect(npm(['db:verify'], 'yes=false\n').text).toBe('runs verify');
  expect(npm(['db:verify', '--', '--yes'], '', { npm_config_yes: 'true' }).text).toBe('runs verify --yes');
});

test('scripts/db.js ends with 2 and runs nothing', () => {
  expect(npm(['db:real', '--service'])).toMatchObject({
    status: 2,
    text: '',
    error: 'error: npm took --service for itself. Write: npm run db:real -- --service',
  });
});

test('every option of every command is known to it', async () => {
  const module = `${scripts}/npm-options.js`;
  const { optionsOfCommands } = (await import(/* @vite-ignore */ module)) as {
    readonly optionsOfCommands: Readonly<Record<string, boolean>>;
  };
  const more = [maintainCommand, tenantsCommand];
  const help = async (...parameters: readonly string[]) => {
    let out = '';
    await runRepositoryCli([...parameters, '--help'], { out: (text) => (out += text), error: () => {} }, more);
    return out;
  };
  const commands = [...(await help()).matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, name]) => name ?? '');
  const options = new Map<string, boolean>();
  for (const command of commands) {
    for (const [, name = '', value] of (await help(command)).matchAll(/^ {2}--([a-z-]+)( <)?/gm))
      options.set(name, value !== undefined);
  }
  expect(commands).toContain('rollback');
  expect(Object.fromEntries([...options].sort(([a], [b]) => (a < b ? -1 : 1)))).toEqual(
    Object.fromEntries(Object.entries(optionsOfCommands).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
});
