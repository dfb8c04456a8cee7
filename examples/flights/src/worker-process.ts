import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FlightTenant } from './flights.ts';

/** A worker of the study in a process of its own, in the middle of a trial. */
export interface WorkerProcess {
  readonly number: number;
  readonly epoch: number;
  /** Ends it as the kernel or an operator would, and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts tuning-worker.ts, and resolves when it stands in the middle of a trial. */
export async function startWorkerProcess(tenant: FlightTenant, url: string): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(new URL('tuning-worker.ts', import.meta.url)), [tenant], {
    env: { ...process.env, POSTGRES_SERVICE_URL: url },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const reached = await new Promise<{ number: number; epoch: number }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { number: number; epoch: number }));
    child.once('exit', () => reject(new Error('The worker ended before its trial was half done.')));
  });
  return {
    ...reached,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
