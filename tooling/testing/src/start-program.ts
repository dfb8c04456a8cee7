import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A TypeScript file that runs in a process of its own, for tests of what befalls processes. */
export interface Program {
  /** The next line that it prints. Fails where it ends without one, with what it wrote to its error output. */
  nextLine(): Promise<string>;
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
}

/** Runs the file on the packages' sources, with these variables and no others but PATH and HOME. */
export function startProgram(input: {
  readonly file: URL;
  readonly environment: Readonly<Record<string, string>>;
}): Program {
  const { PATH = '', HOME = '' } = process.env;
  const parameters = [
    '--conditions=@mcp-hub/source',
    '--import',
    import.meta.resolve('tsx'),
    fileURLToPath(input.file),
  ];
  const child = spawn(process.execPath, parameters, { env: { PATH, HOME, ...input.environment } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors = text(child.stderr);
  return {
    nextLine: async () => {
      const line = await lines.next();
      if (line.done !== true) return line.value;
      throw new Error(`The program ended without another line: ${await errors}`);
    },
    signal: (signal) => {
      child.kill(signal);
    },
    ended: new Promise((resolve) => child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))),
  };
}
