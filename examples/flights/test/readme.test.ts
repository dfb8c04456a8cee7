import { runReadme, useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';

const database = useTestDatabase();

it("the lines of use in the repository's README compile, run and print what they say", async () => {
  const run = await runReadme({
    readme: new URL('../../../README.md', import.meta.url),
    // A package that has both packages that they import.
    folder: new URL('..', import.meta.url),
    environment: { POSTGRES_SERVICE_URL: database.serviceUrl },
  });
  expect(run).toEqual({
    typeErrors: '',
    exitCode: 0,
    errors: '',
    lines: ['true', expect.stringContaining('No version answers to this reference')],
  });
});
