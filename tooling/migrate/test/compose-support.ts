import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, onTestFinished } from 'vitest';
import { readListing } from '../src/listing.ts';
import { type GenerateOptions, type GenerateReport, generate } from '../src/repository/generate.ts';
import { release } from '../src/repository/release.ts';
import { testServer } from './run-support.ts';

const fixture = fileURLToPath(new URL('fixtures/zoo', import.meta.url));
const modules = fileURLToPath(new URL('../node_modules', import.meta.url));

/** Text to put in the place of other text, by file; a file that is not there is made of the `''` key's text. */
export type Edits = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A repository of three packages (base 001, animals 003, visits 004) in a folder of its own. */
export function makeZoo(edits: Edits = {}): string {
  return evolve(fixture, edits);
}

let generated: Promise<string> | undefined;
let released: Promise<string> | undefined;
const shared: string[] = [];
afterAll(() => {
  for (const path of shared) rmSync(path, { recursive: true, force: true });
});

/** A zoo with its three files, composed once a test file. */
export async function makeGeneratedZoo(edits: Edits = {}): Promise<string> {
  generated ??= prepare(fixture, async (root) => {
    await generateIn(root);
  });
  return evolve(await generated, edits);
}

/** The same, and released. */
export async function makeReleasedZoo(edits: Edits = {}): Promise<string> {
  generated ??= prepare(fixture, async (root) => {
    await generateIn(root);
  });
  released ??= prepare(await generated, async (root) => {
    await release({ root });
  });
  return evolve(await released, edits);
}

async function prepare(from: string, work: (root: string) => Promise<void>): Promise<string> {
  const root = copyZoo(from);
  shared.push(root);
  await work(root);
  return root;
}

/** A copy of a repository with edits: a module is read once a process, so a changed schema needs another path. */
export function evolve(root: string, edits: Edits): string {
  const copy = copyZoo(root);
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  for (const [file, replacements] of Object.entries(edits)) edit(join(copy, file), replacements);
  return copy;
}

function copyZoo(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'zoo-'));
  cpSync(root, copy, { recursive: true, filter: (path) => !path.endsWith('node_modules') });
  symlinkSync(modules, join(copy, 'node_modules'));
  return copy;
}

function edit(path: string, replacements: Readonly<Record<string, string>>): void {
  for (const [from, to] of Object.entries(replacements)) {
    if (from === '') {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, to);
      continue;
    }
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) throw new Error(`${path} does not hold ${from}`);
    writeFileSync(
      path,
      text.replaceAll(from, () => to),
    );
  }
}

export function generateIn(root: string, options: Partial<GenerateOptions> = {}): Promise<GenerateReport> {
  return generate({ root, serverUrl: testServer().ownerUrl, ...options });
}

export function readMigration(root: string, file: string): string {
  return readFileSync(join(root, 'migrations', file), 'utf8');
}

export function migrationFiles(root: string): readonly string[] {
  return readdirSync(join(root, 'migrations'))
    .filter((file) => file.endsWith('.sql'))
    .sort();
}

export async function listDatabase(url: string): Promise<readonly string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await readListing(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
