import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BatchProgress } from '@mcp-hub/predictions';
import type { LogisticModel } from '../logistic-regression.ts';

/** What a worker tells whoever started it. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'claimed'; readonly chunkNumber: number }
  | { readonly kind: 'progress'; readonly progress: BatchProgress };

export interface BatchProcess {
  /** Hands it the model, with which it begins to work. */
  begin(model: LogisticModel): Promise<void>;
  /** Resolves when it stands in its first chunk, where it was to stand still. */
  readonly claimed: Promise<void>;
  /** Ends it as the kernel or an operator would, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has ended by itself. */
  readonly done: Promise<void>;
}

/** Starts batch-worker.ts. */
export function startBatchProcess(
  tenant: string,
  url: string,
  {
    standsStill,
    onProgress,
  }: { readonly standsStill: boolean; readonly onProgress: (progress: BatchProgress) => void },
): BatchProcess {
  const file = fileURLToPath(new URL('batch-worker.ts', import.meta.url));
  const child = fork(file, standsStill ? [tenant, 'stand-still'] : [tenant], {
    env: { ...process.env, POSTGRES_SERVICE_URL: url },
  });
  const exit = once(child, 'exit');
  child.on('message', (message: WorkerMessage) => {
    if (message.kind === 'progress') onProgress(message.progress);
  });
  const ready = hear(child, 'ready');
  const claimed = hear(child, 'claimed');
  const done = requireSuccess(exit);
  // Each is awaited later or, where the worker is killed, by nobody.
  for (const promise of [ready, claimed, done]) promise.catch(() => {});
  return {
    begin: async (model) => {
      await ready;
      child.send(model);
    },
    claimed,
    kill: async () => {
      child.kill('SIGKILL');
      await exit;
    },
    done,
  };
}

async function requireSuccess(exit: Promise<readonly unknown[]>): Promise<void> {
  const [code] = await exit;
  if (code !== 0) throw new Error('A worker of the batch job has failed; what it printed stands above.');
}

/** Resolves with the first message of a kind; rejects where the worker ends before. */
async function hear(child: ChildProcess, kind: WorkerMessage['kind']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: WorkerMessage) => {
      if (message.kind === kind) resolve();
    });
    child.once('exit', () => reject(new Error(`A worker of the batch job ended before it was ${kind}.`)));
  });
}
