// `pnpm cases FILE.json …`: runs cases of statistics and prints what falls short.
import { type Case, readCases } from './case-file.ts';
import { runCase } from './run-cases.ts';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('Usage: pnpm cases FILE.json …');
  process.exitCode = 2;
}
const counts = { passed: 0, failed: 0 };
for (const file of files) {
  for (const each of casesOf(file)) {
    const result = runCase(each);
    counts[result.status]++;
    if (result.status === 'passed') continue;
    console.log(`failed ${each.id} (${each.kind})`);
    for (const { path, got, expected } of result.shortfalls) {
      console.log(`  ${path}: got ${print(got)}, expected ${print(expected)}`);
    }
  }
}
if (files.length > 0) {
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  if (counts.failed > 0) process.exitCode ??= 1;
}

/** None, with a message, for a file that cannot be read. */
function casesOf(file: string): readonly Case[] {
  try {
    return readCases(file);
  } catch (error) {
    console.error(`error: ${file} holds no cases: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
    return [];
  }
}

/** NaN, infinities and nothing have no JSON. */
function print(value: unknown): string {
  return typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
}
