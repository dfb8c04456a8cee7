import { readFileSync } from 'node:fs';
import { checkReadme, runReadme, useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { MONITORING_LIMITS } from '../src/index.ts';

const database = useTestDatabase();
const folder = new URL('..', import.meta.url);
const readme = new URL('README.md', folder);

it("the README's lines compile, run and print what it says", async () => {
  const environment = { POSTGRES_SERVICE_URL: database.serviceUrl };
  expect(await runReadme({ readme, folder, environment })).toEqual({
    typeErrors: '',
    exitCode: 0,
    errors: '',
    lines: [
      '1 2000 4',
      '2026-05-08 500 ',
      '2026-05-09 500 plan chi_square, plan new_category, tenure ks, tenure null_rate',
      'new null 0.96',
    ],
  });
});

it('all its lines compile', async () => {
  expect(await checkReadme({ readme, folder })).toBe('');
});

it('names every limit', () => {
  const text = readFileSync(readme, 'utf8');
  for (const limit of Object.values(MONITORING_LIMITS)) expect(text).toContain(limit.toLocaleString('en-US'));
});
