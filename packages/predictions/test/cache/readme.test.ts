import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runReadme, useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import * as exported from '../../src/index.ts';

const database = useTestDatabase();
const folder = new URL('../..', import.meta.url);
const section = /\n## Cache\n([\s\S]*?)(?=\n## |$)/.exec(readFileSync(new URL('README.md', folder), 'utf8'))?.[1] ?? '';

/** What the README's first lines have made when its section on the cache begins. */
const before = `
import { connect, withTenant } from '@mcp-hub/db-core';
import { registerVersion, setAlias as point } from '@mcp-hub/registry';
const db = await connect({ url: process.env.POSTGRES_SERVICE_URL ?? '' });
const tenant = 'acme';
await withTenant(db, tenant, async (tx) => {
  await registerVersion(tx, { name: 'churn' });
  await point(tx, { name: 'churn', alias: 'champion', version: '1' });
});
`;

it("the section's lines compile, run and print what it says", async () => {
  const lines = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const made = mkdtempSync(join(tmpdir(), 'readme-'));
  try {
    const readme = join(made, 'README.md');
    writeFileSync(readme, `\`\`\`ts\n${before}${lines}await db.close();\n\`\`\`\n`);
    const environment = { POSTGRES_SERVICE_URL: database.serviceUrl };
    expect(await runReadme({ readme: pathToFileURL(readme), folder, environment })).toEqual({
      typeErrors: '',
      exitCode: 0,
      errors: '',
      lines: ['1 0.25', '{ hits: 9, misses: 1, entries: 0, staleEntries: 1 }'],
    });
  } finally {
    rmSync(made, { recursive: true });
  }
});

it('the section names every function of the cache and every limit', () => {
  const { PREDICTION_LIMITS: limits } = exported;
  for (const name of Object.keys(exported).filter((one) => /cache/i.test(one) && /^[a-z]/.test(one))) {
    // Tables are told by the schema.
    if (!/^predictionCache|^cacheEntryStatuses$/.test(name)) expect(section).toContain(`\`${name}`);
  }
  for (const [name, limit] of Object.entries(limits).filter(([one]) => one.startsWith('cache'))) {
    const texts: Readonly<Record<string, string>> = {
      cacheTtlMs: '365 days',
      cacheLeaseMsMin: 'a second',
      cacheLeaseMs: 'an hour',
      cacheUsageMs: 'five seconds',
    };
    expect(section).toContain(texts[name] ?? limit.toLocaleString('en-US'));
  }
});
