import { checkReadme } from '@mcp-hub/testing';
import { expect, it } from 'vitest';

it("the README's lines compile", async () => {
  const folder = new URL('..', import.meta.url);
  expect(await checkReadme({ readme: new URL('README.md', folder), folder })).toBe('');
});
