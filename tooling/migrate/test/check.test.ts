import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migrate } from '../src/migrate.ts';
import { type CheckOptions, check } from '../src/repository/check.ts';
import type { CheckReport } from '../src/repository/check-report.ts';
import { release } from '../src/repository/release.ts';
import { evolve, generateIn, makeGeneratedZoo } from './compose-support.ts';
import { freshDatabase, query, testServer } from './run-support.ts';

function checkIn(root: string, options: Partial<CheckOptions> = {}): Promise<CheckReport> {
  return check({ root, serverUrl: testServer().ownerUrl, ...options });
}

const codes = (report: CheckReport) => report.problems.map(({ comparison, code }) => `${comparison}: ${code}`);

describe('db:check', () => {
  it('finds nothing where schemas, files and database agree', async () => {
    const root = await makeGeneratedZoo();
    const url = await freshDatabase();
    await migrate({ url, directory: join(root, 'migrations') });
    expect(await checkIn(root, { liveUrl: url })).toEqual({
      ok: true,
      compared: ['schema', 'replay', 'declared', 'live'],
      problems: [],
    });
  });

  it('compares what needs no database without one', async () => {
    const root = await makeGeneratedZoo({
      'packages/animals/src/schema.ts': { "motherId: uuid('mother_id')": "motherId: uuid('dam_id')" },
    });
    const report = await check({ root });
    expect(report.compared).toEqual(['schema']);
    expect(report.problems[0]).toMatchObject({
      code: 'schema_differs',
      message: expect.stringContaining('@zoo/animals declares'),
    });
    expect(report.problems[0]?.missing).toContain('ALTER TABLE "animals" ADD COLUMN "dam_id" uuid;');
  });

  it('finds a package without a migration', async () => {
    const root = await makeGeneratedZoo({
      'packages/tickets/package.json': {
        '': '{ "name": "@zoo/tickets", "type": "module", "mcpHub": { "migration": "005_tickets" } }',
      },
      'packages/tickets/src/schema.ts': {
        '': "import { zooTable, text } from '../../base/src/zoo-table.ts';\nexport const tickets = zooTable('tickets', { code: text('code') });\n",
      },
    });
    expect(codes(await checkIn(root))).toEqual(['schema: schema_without_migration']);
  });

  it('finds a file that was edited, released or not', async () => {
    const root = await makeGeneratedZoo();
    await release({ root });
    const edited = evolve(root, {
      'migrations/003_animals.sql': { 'GRANT SELECT ON "species" TO app_readonly;': 'select 1;' },
    });
    const loud = await checkIn(edited);
    expect(codes(loud)).toEqual(['schema: edited_file', 'replay: file_fails']);
    expect(loud.problems[1]?.message).toContain('not granted: select on species to app_readonly');
    const quiet = evolve(root, {
      'migrations/003_animals.sql': {
        'DEFAULT gen_random_uuid()': 'DEFAULT app_uuid()',
        'CREATE TABLE "species"':
          'create function app_uuid() returns uuid language sql as \'select gen_random_uuid()\';\nCREATE TABLE "species"',
      },
    });
    expect(codes(await checkIn(quiet))).toEqual([
      'schema: edited_file',
      'replay: listing_differs',
      'replay: schema_txt_differs',
      'declared: declaration_differs',
    ]);
  });

  it('finds a function that changed in sql/ and not in the files', async () => {
    const root = await makeGeneratedZoo({ 'packages/animals/sql/after.sql': { 'count(*)': 'count(id)' } });
    const report = await checkIn(root);
    expect(codes(report)).toEqual(['declared: declaration_differs']);
    expect(report.problems[0]?.missing.join()).toContain('count(id)');
  });

  it('finds a listing that is missing or was edited', async () => {
    const root = await makeGeneratedZoo({
      'migrations/schema.txt': { 'grant select on table animals to app_readonly\n': '' },
    });
    expect(codes(await checkIn(root))).toEqual(['replay: schema_txt_differs']);
  });

  it.each([
    [
      'a dropped policy',
      'drop policy animals_tenant_policy on animals',
      'missing',
      'policy animals.animals_tenant_policy',
    ],
    [
      'a column made by hand',
      'alter table animals add column by_hand int',
      'unexpected',
      'column animals.by_hand: integer',
    ],
    [
      'lifted FORCE',
      'alter table animals no force row level security',
      'unexpected',
      'table animals: owner $owner, row security, not forced',
    ],
    [
      'a grant',
      'grant truncate on animals to app_tenant',
      'unexpected',
      'grant truncate on table animals to app_tenant',
    ],
  ] as const)('finds %s in a live database', async (_what, change, side, line) => {
    const root = await makeGeneratedZoo();
    const url = await freshDatabase();
    await migrate({ url, directory: join(root, 'migrations') });
    await query(url, change);
    const report = await check({ root, liveUrl: url });
    expect(codes(report)).toEqual(['live: database_differs']);
    expect(report.problems[0]?.[side].join('\n')).toContain(line);
  });

  it('holds a live database to what its history names, and says what is pending', async () => {
    const root = await makeGeneratedZoo();
    const url = await freshDatabase();
    await migrate({ url, directory: join(root, 'migrations'), to: '003' });
    const report = await check({ root, liveUrl: url });
    expect(codes(report)).toEqual(['live: pending']);
    expect(report.problems[0]?.message).toContain('004_visits.sql');
  });

  it('says of a file that was composed again that it is another one, and nothing of what that changed', async () => {
    const root = await makeGeneratedZoo();
    const url = await freshDatabase();
    await migrate({ url, directory: join(root, 'migrations') });
    const again = evolve(root, {
      'packages/animals/src/schema.ts': {
        "motherId: uuid('mother_id'),": "motherId: uuid('mother_id'),\n    a: text('a'),",
      },
    });
    await generateIn(again);
    const { problems } = await checkIn(again, { liveUrl: url });
    expect(problems).toEqual([
      expect.objectContaining({ comparison: 'live', code: 'edited_file', missing: [], unexpected: [] }),
    ]);
    expect(problems[0]?.message).toMatch(
      /^003_animals\.sql was edited, or composed again, .*its checksum differs.*db:reset/,
    );
    // The same words from db:migrate.
    await expect(migrate({ url, directory: join(again, 'migrations') })).rejects.toThrow(problems[0]?.message);
  });

  it('ignores partitions that come and go', async () => {
    const root = await makeGeneratedZoo();
    const url = await freshDatabase();
    await migrate({ url, directory: join(root, 'migrations') });
    await query(
      url,
      "create table visits_1 partition of visits for values from ('10000000-0000-0000-0000-000000000000') to ('20000000-0000-0000-0000-000000000000')",
    );
    expect(await check({ root, liveUrl: url })).toMatchObject({ ok: true });
  });
});

describe('db:release', () => {
  it('marks every file once, and refuses while schemas and files differ', async () => {
    const root = await makeGeneratedZoo();
    expect(await release({ root })).toEqual({
      released: ['001_initial_schema.sql', '003_animals.sql', '004_visits.sql'],
      alreadyReleased: 0,
    });
    expect(await release({ root })).toEqual({ released: [], alreadyReleased: 3 });
    const changed = evolve(root, {
      'packages/animals/src/schema.ts': { "motherId: uuid('mother_id')": "motherId: uuid('dam_id')" },
    });
    await expect(release({ root: changed })).rejects.toMatchObject({ code: 'not_generated' });
  });
});
