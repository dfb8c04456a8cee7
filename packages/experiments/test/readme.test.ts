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
    lines: ['running long 0.1', '2 0.5 0.400 true', 'reallocated,started,created'],
  });
});

it('all its lines compile', async () => {
  expect(await checkReadme({ readme, folder })).toBe('');
});
