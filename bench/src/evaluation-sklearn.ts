import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const release = '1.9.1';
const program = fileURLToPath(new URL('../python/evaluation.py', import.meta.url));

/** How scikit-learn is called: a function for each metric, or all of ranks from one curve. */
export type SklearnWay = 'functions' | 'curve';

export interface SklearnRound {
  /** Of the computing alone. */
  readonly milliseconds: number;
  readonly numbers: Readonly<Record<string, number>>;
}

export interface Sklearn {
  readonly version: string;
  readonly run: (way: SklearnWay) => Promise<SklearnRound>;
  readonly end: () => void;
}

/**
 * A Python that holds the rows and computes their metrics when it is told to, or undefined where none has scikit-learn, which
 * it says. Looks at BENCH_PYTHON, then in .mcp-hub/python, then for python3.
 */
export function startSklearn(labels: Uint8Array, scores: Float64Array): Sklearn | undefined {
  const found = findPython();
  if (found === undefined) {
    console.log(
      `\nscikit-learn is not installed: python3 -m venv .mcp-hub/python && .mcp-hub/python/bin/pip install scikit-learn==${release}`,
    );
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'mcp-hub-bench-'));
  const file = join(folder, 'rows');
  writeFileSync(file, Buffer.concat([Buffer.from(scores.buffer), labels]));
  const python = spawn(found.path, [program, file, String(labels.length)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
  return {
    version: found.version,
    async run(way) {
      python.stdin.write(`${way}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('The Python program ended before it answered; it says why above.');
      return JSON.parse(value) as SklearnRound;
    },
    end() {
      python.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}

function findPython(): { readonly path: string; readonly version: string } | undefined {
  const folder = process.platform === 'win32' ? 'Scripts' : 'bin';
  const given = process.env['BENCH_PYTHON'];
  for (const path of [
    ...(given === undefined ? [] : [given]),
    join('.mcp-hub', 'python', folder, 'python'),
    'python3',
  ]) {
    const asked = spawnSync(path, ['-c', 'import sklearn; print(sklearn.__version__)'], { encoding: 'utf8' });
    if (asked.status === 0) return { path, version: asked.stdout.trim() };
  }
  return undefined;
}
