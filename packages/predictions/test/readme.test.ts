import { readFileSync } from 'node:fs';
import { checkReadme, runReadme, useTestDatabase } from '@mcp-hub/testing';
import { expect, it } from 'vitest';
import { PREDICTION_LIMITS } from '../src/index.ts';

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
      '1000 0',
      '0 1000',
      '1',
      "customer 99 { tenure: 39, plan: 'yearly' } leaves",
      '7',
      "{ plan: 'monthly', right: 26, n: 50 }",
      "{ plan: 'yearly', right: 34, n: 50 }",
    ],
  });
});

it('all its lines compile', async () => {
  expect(await checkReadme({ readme, folder })).toBe('');
});

it('names every limit of the writer and of exports', () => {
  const text = readFileSync(readme, 'utf8');
  const own = Object.entries(PREDICTION_LIMITS).filter(([name]) => /^(?:writer|export)/.test(name));
  expect(own.length).toBeGreaterThan(8);
  for (const [, limit] of own) expect(text).toContain(limit.toLocaleString('en-US'));
});

it('names every limit of the ledger', () => {
  const text = readFileSync(readme, 'utf8');
  const { subjectLength, labelLength, featureNameLength, categoryLength, features, outputLength, ...rest } =
    PREDICTION_LIMITS;
  const { experimentLength, aheadMs, labelsAtOnce, labelHistory, pruneBatch } = rest;
  const own = [subjectLength, labelLength, featureNameLength, categoryLength, features, outputLength];
  for (const limit of [...own, experimentLength, aheadMs, labelsAtOnce, labelHistory, pruneBatch]) {
    expect(text).toContain(limit.toLocaleString('en-US'));
  }
});
