import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScratchDatabase, databaseName, databaseUrl } from '@mcp-hub/postgres';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatVerifyReport } from '../src/verify/format-report.ts';
import { verifyRules } from '../src/verify/rules.ts';
import { type VerifyReport, verify, verifyWith } from '../src/verify/verify.ts';
import type { Break } from './verify-break.ts';
import { functionBreaks } from './verify-breaks-functions.ts';
import { historyBreaks, probeBreaks } from './verify-breaks-history.ts';
import { keysBreaks } from './verify-breaks-keys.ts';
import { objectBreaks } from './verify-breaks-objects.ts';
import { rightsBreaks } from './verify-breaks-rights.ts';
import { rolesBreaks } from './verify-breaks-roles.ts';
import { tablesBreaks } from './verify-breaks-tables.ts';
import { startVerifyDatabase, type VerifyDatabase } from './verify-database.ts';

const pairedReference = `
alter table model_registry add constraint model_registry_all_key unique (tenant_id, name, version, id);
alter table model_registry add constraint model_registry_parent_check check (num_nulls(parent_id, parent_version) in (0, 2));
alter table model_registry add constraint model_registry_parent_fk
  foreign key (tenant_id, name, parent_version, parent_id) references model_registry (tenant_id, name, version, id)`;

const breaks: readonly Break[] = [
  ...tablesBreaks,
  ...keysBreaks,
  ...rightsBreaks,
  ...rolesBreaks,
  ...objectBreaks,
  ...functionBreaks,
  ...historyBreaks,
  ...probeBreaks,
];

let database: VerifyDatabase;
beforeAll(async () => {
  database = await startVerifyDatabase();
});
afterAll(async () => {
  await database?.stop();
});

const brokenRules = (report: VerifyReport) =>
  report.rules.filter(({ findings }) => findings.length > 0).map(({ name }) => name);

test('a database that was migrated keeps all rules, also the second time', async () => {
  for (let run = 1; run <= 2; run++) {
    const report = await verify({ url: database.ownerUrl, directory: database.directory });
    const lines = formatVerifyReport(report);
    expect(formatVerifyReport(report, { holding: false })).toEqual(lines.slice(-1));
    expect(brokenRules(report), lines.join('\n')).toEqual([]);
    expect(report.ok).toBe(true);
    expect(lines).toHaveLength(verifyRules.length + 1);
  }
});

test('the README names every rule, and each is broken below', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const names = verifyRules.map(({ name }) => name);
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  expect(names.filter((name) => !breaks.some(({ rule }) => rule === name))).toEqual([]);
});

test('nothing of the probe stays', async () => {
  await verify({ url: database.ownerUrl, directory: database.directory });
  const [row] = await database.admin<{ models: string; tenants: string }[]>`
    select (select count(*) from model_registry) as models, (select count(*) from tenants) as tenants`;
  expect(row).toEqual({ models: '0', tenants: '0' });
});

test('every rule has a case that breaks it, and every name is in kebab-case and there once', () => {
  const names = verifyRules.map(({ name }) => name);
  const without = names.filter((name) => !breaks.some(({ rule }) => rule === name));
  expect(without).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z]+(-[a-z]+)+$/.test(name))).toEqual([]);
});

describe('a database where', () => {
  test.for(breaks.map((one) => [one.what, one.rule, one] as const))('%s breaks %s', async ([, , one], { skip }) => {
    const [server] = await database.admin<{ major: number }[]>`
      select current_setting('server_version_num')::int / 10000 as major`;
    if (one.since !== undefined && (server?.major ?? 0) < one.since) skip(`needs PostgreSQL ${one.since}`);
    const report = await verifyBroken(one);
    if (one.before !== undefined && (server?.major ?? 0) >= one.before) {
      expect(brokenRules(report)).not.toContain(one.rule);
      return;
    }
    const lines = formatVerifyReport(report).join('\n');
    const result = report.rules.find(({ name }) => name === one.rule);
    expect(result?.findings.map(({ object }) => object).join('\n'), lines).toContain(one.object);
    const others = brokenRules(report).filter((name) => name !== one.rule && name !== 'schema-listing');
    expect(others, lines).toEqual([...(one.also ?? [])].sort((a, b) => order(a) - order(b)));
    expect(report.ok).toBe(false);
    expect(lines, 'a value of a row').not.toContain('somebody');
  });
});

const order = (rule: string) => verifyRules.findIndex(({ name }) => name === rule);

describe('verify', () => {
  test('refuses a superuser and says which login to use', async () => {
    const url = databaseUrl(database.adminUrl, databaseName(database.ownerUrl));
    const refusal = await verify({ url, directory: database.directory }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'MigrateError', code: 'privileged_login', exitCode: 3 });
    expect(String(refusal)).toContain(`Log in as ${database.ownerLogin}`);
  });

  test('refuses a login with BYPASSRLS', async () => {
    const refusal = await verifyBroken({
      rule: 'none',
      what: '',
      object: '',
      adminSql: `alter role ${database.ownerLogin} bypassrls`,
    }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'privileged_login', exitCode: 3 });
  });

  test('refuses a service login, which sees too little', async () => {
    const url = databaseUrl(database.serviceUrl, databaseName(database.ownerUrl));
    const refusal = await verify({ url, directory: database.directory }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'not_owner', exitCode: 3 });
    expect(String(refusal)).toContain(`Log in as ${database.ownerLogin}`);
  });

  test('says of an empty database that no migration has run', async () => {
    const scratch = await createScratchDatabase(database.ownerUrl);
    try {
      const report = await verify({ url: scratch.url, directory: database.directory });
      expect(brokenRules(report)).toContain('history-complete');
      expect(formatVerifyReport(report).join('\n')).toContain('Run db:migrate');
    } finally {
      await scratch.drop();
    }
  });

  test('keeps no writer waiting and waits for none', async () => {
    const writer = postgres(database.ownerUrl, { max: 1 });
    try {
      await writer.begin(async (tx) => {
        await tx`select app_set_tenant('a-writer')`;
        await tx`insert into model_registry (name, version) values ('test_model', 'v1')`;
        const report = await verify({ url: database.ownerUrl, directory: database.directory });
        expect(brokenRules(report)).toEqual([]);
        await tx`update model_registry set version = 'v2'`;
        throw new RolledBack();
      });
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
    } finally {
      await writer.end();
    }
  });

  test('says when a default partition that may hold rows is locked, and does not wait for it', async () => {
    const writer = postgres(database.ownerUrl, { max: 1 });
    try {
      await writer.begin(async (tx) => {
        await tx`select app_set_tenant('a-writer')`;
        await tx`insert into predictions default values`;
        const started = performance.now();
        const report = await verify({ url: database.ownerUrl, directory: database.directory });
        expect(brokenRules(report)).toEqual(['default-partition-empty']);
        expect(formatVerifyReport(report).join('\n')).toContain('was locked by others');
        expect(performance.now() - started).toBeLessThan(5_000);
        throw new RolledBack();
      });
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
    } finally {
      await writer.end();
    }
  });

  test.for([
    [
      'a role for backups reads past the policies',
      'create role backups bypassrls; grant select on model_tags to backups',
    ],
    ['another role keeps its temporary table', `set local role app_tenant; create temporary table staged (id uuid)`],
    [
      'a default partition was filled and emptied',
      `set local app.tenant = 'a'; insert into predictions default values; delete from predictions; set local app.tenant = ''`,
    ],
    [
      'one tenant’s rows are published',
      `create publication outward for table model_tags where (tenant_id = 'a') with (publish = 'insert')`,
    ],
    [
      'one tenant’s rows of one kind are published',
      `create publication outward for table model_tags where (tenant_id = 'it''s' and (key = 'a' or key = 'b')) with (publish = 'insert')`,
    ],
    [
      'a login for backups reads all data and bypasses',
      'create role backups login bypassrls; grant pg_read_all_data to backups',
    ],
    [
      'the search_path is the one that sessions have anyway, and a statement may take a minute',
      `alter role mcp_hub_service set search_path = "$user", public; alter role mcp_hub_service set statement_timeout = 60000`,
    ],
    [
      'a role that does not come here has a search_path and makes databases',
      'create role bystander login createdb; alter role bystander set search_path = aside',
    ],
    [
      'a managed server’s first login made the owner',
      'create role rds_superuser; create role master login createdb; grant rds_superuser to master; grant mcp_hub to master with admin option',
    ],
    [
      'statements are collected for their owner alone',
      `create extension pg_stat_statements; revoke all on pg_stat_statements from public;
       revoke all on function pg_stat_statements(boolean) from public`,
    ],
    [
      'a function reads the tenant, has words of the rules in a message, and only the owner may call one that executes',
      `set local session authorization mcp_hub;
       create function told() returns text language plpgsql stable as $$ begin
         raise notice 'to execute what was set'; return current_setting('app.tenant', true); end $$;
       create function made(name text) returns void language plpgsql as $$ begin execute format('create table %I ()', name); end $$;
       revoke execute on function made(text) from public`,
    ],
    [
      'an extension of the server is there',
      'create extension pg_trgm; create extension btree_gist; create extension pgcrypto',
    ],
    ['a check ties the optional columns of a foreign key', pairedReference],
  ] as const)('has nothing to say when %s', async ([what, sql]) => {
    const report = await verifyBroken({ rule: 'none', what, object: '', adminSql: sql });
    expect(brokenRules(report).filter((name) => name !== 'schema-listing' && name !== 'one-owner')).toEqual([]);
  });
});

class RolledBack extends Error {}

/** Breaks and verifies in one transaction of a superuser that becomes the owner, and takes all back. */
async function verifyBroken(one: Break): Promise<VerifyReport> {
  const directory = one.folder === undefined ? database.directory : await mkdtemp(join(tmpdir(), 'verify-'));
  let report: VerifyReport | undefined;
  try {
    if (one.folder !== undefined) {
      await cp(database.directory, directory, { recursive: true });
      await one.folder(directory);
    }
    await database.admin.begin(async (tx) => {
      if (one.adminSql !== undefined) await tx.unsafe(one.adminSql).simple();
      await tx.unsafe(`set local session authorization ${database.ownerLogin}`);
      if (one.sql !== undefined) await tx.unsafe(one.sql).simple();
      report = await verifyWith(tx, directory);
      throw new RolledBack();
    });
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
  } finally {
    if (directory !== database.directory) await rm(directory, { recursive: true, force: true });
  }
  if (report === undefined) throw new Error('no report');
  return report;
}
