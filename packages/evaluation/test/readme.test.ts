import { checkReadme, runReadme, useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';

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
      '0.797 0.755 delong',
      'JFK 80',
      '0.3 144',
      'There is no delong of roc_auc with the version in production on these rows.',
      'better true true',
    ],
  });
});

it('all its blocks, as one file, compile', async () => {
  expect(await checkReadme({ readme, folder })).toBe('');
});
