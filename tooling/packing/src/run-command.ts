import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Killed then. */
  readonly timeoutMs?: number;
}

/** Runs a program as a user's shell would: without what npm, pnpm and vitest put into the environment of their children. */
export async function runCommand(
  program: string,
  parameters: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const child = spawn(program, parameters, {
    cwd: options.cwd,
    env: { ...userEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 60_000,
    shell: process.platform === 'win32',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 1, stdout, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}` });
    });
  });
}

/** As `runCommand`; a failure is an error that holds what the program printed. */
export async function runOrThrow(
  program: string,
  parameters: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const { code, stdout, stderr } = await runCommand(program, parameters, options);
  if (code !== 0)
    throw new Error(`${program} ${parameters.join(' ')} ended with ${code}\n${stdout}\n${stderr}`.trimEnd());
  return stdout;
}

// Where packages come from is the machine's to say.
const keptSettings: ReadonlySet<string> = new Set(['registry', 'cache', 'userconfig', 'globalconfig', 'cafile']);

/** npm's own settings would send an install below a test into the repository that the test runs in. */
function userEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    const setting = /^npm_config_(.*)$/i.exec(name)?.[1]?.toLowerCase();
    const ours =
      setting === undefined
        ? /^(npm_|pnpm_|vitest|node_options$|node_env$|tsx)/i.test(name)
        : !keptSettings.has(setting);
    if (value !== undefined && !ours) kept[name] = value;
  }
  // Its notices about the machine's own settings are no output of what npx runs.
  return { ...kept, npm_config_loglevel: 'error' };
}
