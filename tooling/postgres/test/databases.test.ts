import {
  createDatabase,
  createScratchDatabase,
  databaseName,
  databaseUrl,
  dropDatabase,
  parsePostgresMajor,
  sealTemplate,
  startTestServer,
  type TestServer,
} from '@mcp-hub/postgres';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers, query } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ kind: 'embedded' });
});
afterAll(() => server.stop());

describe('a database', () => {
  it('is made under the very name and dropped with the URL of another database or its own', async () => {
    for (const name of ['plain', 'With-Capitals_and-dashes']) {
      const url = await createDatabase(server.ownerUrl, name);
      expect(databaseName(url)).toBe(name);
      expect(await query(url, 'select current_database() as name')).toEqual([{ name }]);
      await dropDatabase(name === 'plain' ? server.ownerUrl : url, name);
      expect(await answers(url)).toBe(false);
    }
  });

  it('is dropped while sessions are open on it, and dropping it again is no error', async () => {
    const scratch = await createScratchDatabase(server.ownerUrl);
    const open = postgres(scratch.url, { max: 1, onnotice: () => {} });
    await open`select 1`;
    await scratch.drop();
    await scratch.drop();
    await expect(open`select 1`).rejects.toThrow();
    await open.end();
  });

  it('has a URL that keeps login, port and parameters', () => {
    expect(databaseUrl('postgres://a:b%40c@h:1/old?sslmode=require', 'new')).toBe(
      'postgres://a:b%40c@h:1/new?sslmode=require',
    );
    expect(databaseName('postgres://alice@h:1')).toBe('alice');
  });
});

describe('a sealed template', () => {
  it('takes no connections and is copied by six at the same time', async () => {
    const template = await createDatabase(server.ownerUrl, 'template_of_six');
    await query(template, 'create table kept as select generate_series(1, 1000) as a');
    await sealTemplate(server.ownerUrl, 'template_of_six');
    await expect(query(template, 'select 1')).rejects.toMatchObject({ code: '55000' });
    const copies = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((copy) =>
        createDatabase(server.ownerUrl, `copy_${copy}`, { template: 'template_of_six' }),
      ),
    );
    for (const copy of copies)
      expect(await query(copy, 'select count(*)::int as rows from kept')).toEqual([{ rows: 1000 }]);
    await dropDatabase(server.ownerUrl, 'template_of_six');
  });
});

describe('PG_MAJOR', () => {
  it('is one of the majors, 18 when unset or empty, and anything else is refused', () => {
    expect([undefined, '', '15', '18'].map(parsePostgresMajor)).toEqual([18, 18, 15, 18]);
    for (const text of ['14', '19', 'latest', '15.2']) {
      expect(() => parsePostgresMajor(text)).toThrow(expect.objectContaining({ code: 'bad_option' }));
    }
  });
});
