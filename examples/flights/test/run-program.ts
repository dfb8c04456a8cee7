import { spawn } from 'node:child_process';

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a TypeScript program as its user would, and gathers what it prints. */
export async function runProgram(
  path: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Finished> {
  const tsx = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--conditions=@mcp-hub/source', '--import', tsx, path, ...parameters], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
