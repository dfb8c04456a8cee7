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
      '{ recorded: 600, repeated: 0 }',
      '{ recorded: 0, repeated: 600 }',
      '10:00 300 49',
      '10:05 300 54',
      '10:10 0 undefined',
      'predict-v2',
    ],
  });
});
