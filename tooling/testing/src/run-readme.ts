import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface ReadmeLines {
  /** The Markdown file. */
  readonly readme: URL;
  /** The package whose imports the lines use: its own name and its dependencies are found. */
  readonly folder: URL;
}

export interface ReadmeRun {
  /** What tsc finds wrong with the lines; '' is nothing. */
  readonly typeErrors: string;
  readonly exitCode: number | null;
  readonly errors: string;
  /** What they print, line by line. */
  readonly lines: readonly string[];
}

/** Type-checks the first TypeScript block of a README under the repository's own rules, and runs it as a user would. */
export async function runReadme(
  input: ReadmeLines & { readonly environment: Readonly<Record<string, string>> },
): Promise<ReadmeRun> {
  return await inFolder(input.folder, blocksOf(input.readme)[0] ?? '', async (file) => {
    const typeErrors = await findTypeErrors(file);
    const run = await runNode(
      ['--conditions=@mcp-hub/source', '--import', import.meta.resolve('tsx'), file],
      input.environment,
    );
    return { typeErrors, exitCode: run.exitCode, errors: run.errors, lines: run.output.trimEnd().split('\n') };
  });
}

/** What tsc finds wrong with all TypeScript blocks of a README, taken as one file; '' is nothing. */
export async function checkReadme(input: ReadmeLines): Promise<string> {
  return await inFolder(input.folder, blocksOf(input.readme).join('\n'), findTypeErrors);
}

function blocksOf(readme: URL): readonly string[] {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, lines]) => lines ?? '');
  if (blocks.length > 0) return blocks;
  throw new Error(`${fileURLToPath(readme)} has no TypeScript block.`);
}

async function inFolder<Result>(folder: URL, lines: string, work: (file: string) => Promise<Result>): Promise<Result> {
  const made = mkdtempSync(join(fileURLToPath(folder), 'readme-'));
  try {
    const file = join(made, 'readme.ts');
    writeFileSync(file, lines);
    return await work(file);
  } finally {
    rmSync(made, { recursive: true });
  }
}

async function findTypeErrors(file: string): Promise<string> {
  const project = join(dirname(file), 'tsconfig.json');
  const compilerOptions = {
    ...{ composite: false, declaration: false, declarationMap: false, sourceMap: false, noEmit: true },
    ...{ rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true },
  };
  const base = fileURLToPath(new URL('../../tsconfig/base.json', import.meta.url));
  writeFileSync(project, JSON.stringify({ extends: base, compilerOptions, files: ['readme.ts'] }));
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = join(dirname(typescript), 'bin', 'tsc');
  const { output } = await runNode([tsc, '-p', project, '--pretty', 'false'], {});
  // What the packages themselves have wrong is not for the README to say.
  return output
    .split('\n')
    .filter((line) => line.includes('readme.ts(') || line.startsWith('error '))
    .map((line) => line.replace(/^.*readme\.ts/, 'readme.ts'))
    .join('\n');
}

async function runNode(parameters: readonly string[], environment: Readonly<Record<string, string>>) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, parameters, { env: { PATH, HOME, ...environment } });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { output, errors, exitCode };
}
