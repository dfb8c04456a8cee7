import { runReadme, useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';

const database = useTestDatabase();

it("the README's lines compile, run and print what it says", async () => {
  const folder = new URL('..', import.meta.url);
  const environment = { POSTGRES_SERVICE_URL: database.serviceUrl };
  expect(await runReadme({ readme: new URL('README.md', folder), folder, environment })).toEqual({
    typeErrors: '',
    exitCode: 0,
    errors: '',
    lines: [
      '2 sha256:2e',
      '1',
      'production -> development bob drift',
      'development -> production ada better on March',
      'null -> development ada null',
      '1',
    ],
  });
});
