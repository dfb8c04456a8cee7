import { runReadme } from '@mcp-hub/testing';
import { expect, it } from 'vitest';

it("the README's lines compile, run and print what it says", async () => {
  const folder = new URL('..', import.meta.url);
  expect(await runReadme({ readme: new URL('README.md', folder), folder, environment: {} })).toEqual({
    typeErrors: '',
    exitCode: 0,
    errors: '',
    lines: [
      'ROC curve. March, test split. Area 0.916',
      'Confusion matrix. 150 rows, 83.3 % on the diagonal; percentages and colour are shares of the true class',
      'val.loss. 1 value is NaN, infinite or not above 0: a gap in the line, a cross at the foot',
      'true true',
    ],
  });
});
