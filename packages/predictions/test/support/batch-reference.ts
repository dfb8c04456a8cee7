import type { BatchJobStatus } from '../../src/index.ts';

// Batch jobs in memory, one thing after the other: what the database is held against.

export const LEASE_MS = 10_000;

interface Chunk {
  readonly number: number;
  status: 'queued' | 'running' | 'succeeded' | 'dead';
  attempts: number;
  due: number;
  until: number;
  /** Which claim holds it, or held it last; none of those before. */
  claim: number;
  rows: readonly number[];
}

export interface Job {
  status: BatchJobStatus;
  readonly priority: number;
  readonly cap: number;
  readonly maxAttempts: number;
  readonly chunks: readonly Chunk[];
  started: boolean;
  readonly predicted: Set<number>;
  readonly dead: Set<number>;
}

/** What a worker was given. */
export interface Claim {
  readonly id: number;
  readonly job: number;
  readonly chunk: number;
  readonly rows: readonly number[];
  readonly attempt: number;
}

export function newJob(
  input: Pick<Job, 'priority' | 'cap' | 'maxAttempts'> & { rows: number; chunkRows: number },
): Job {
  const { rows, chunkRows, ...rest } = input;
  const chunks = Array.from({ length: Math.ceil(rows / chunkRows) }, (_, index) => ({
    ...{ number: index + 1, status: 'queued' as const, attempts: 0, due: 0, until: 0, claim: 0 },
    rows: Array.from({ length: Math.min(chunkRows, rows - index * chunkRows) }, (__, row) => index * chunkRows + row),
  }));
  return { ...rest, status: 'queued', chunks, started: false, predicted: new Set(), dead: new Set() };
}

const isOpen = ({ status }: Job) => status === 'queued' || status === 'running' || status === 'paused';
const running = (job: Job) => job.chunks.filter(({ status }) => status === 'running').length;

/** All jobs of a tenant. A job's place is the order of submission. */
export interface Reference {
  readonly jobs: readonly Job[];
  claim(now: number): Claim | undefined;
  /** `undefined` for a lease that was lost. */
  complete(claim: Claim, deadRows: readonly number[]): 'done' | undefined;
  fail(claim: Claim): 'dead' | 'again' | undefined;
  /** When the database made it due, which is left to chance. */
  setDue(claim: Claim, due: number): void;
  release(claim: Claim): 'done' | undefined;
  heartbeat(claim: Claim, now: number): BatchJobStatus | undefined;
  /** Whether the job may do so. */
  steer(job: number, action: 'pause' | 'resume' | 'cancel' | 'retry', now: number): boolean;
}

export function makeReference(jobs: readonly Job[], tenantCap: number): Reference {
  let claims = 0;

  function claim(now: number): Claim | undefined {
    return claimOnce(now) ?? (takeBackLost(now) ? claimOnce(now) : undefined);
  }

  function complete({ id, job, chunk }: Claim, deadRows: readonly number[]): 'done' | undefined {
    const [of, held] = find(job, chunk);
    if (held.claim === id && held.status === 'succeeded') return 'done';
    if (!holds(of, held, id)) return undefined;
    for (const row of held.rows) (deadRows.includes(row) ? of.dead : of.predicted).add(row);
    held.status = 'succeeded';
    end(of);
    return 'done';
  }

  function fail({ id, job, chunk }: Claim): 'dead' | 'again' | undefined {
    const [of, held] = find(job, chunk);
    if (!holds(of, held, id)) return undefined;
    const dies = held.attempts >= of.maxAttempts;
    takeFrom(of, held, dies);
    return dies ? 'dead' : 'again';
  }

  function setDue({ job, chunk }: Claim, due: number): void {
    find(job, chunk)[1].due = due;
  }

  function release({ id, job, chunk }: Claim): 'done' | undefined {
    const [, held] = find(job, chunk);
    if (held.claim !== id || held.status !== 'running') return undefined;
    held.status = 'queued';
    held.attempts -= 1;
    return 'done';
  }

  function heartbeat({ id, job, chunk }: Claim, now: number): BatchJobStatus | undefined {
    const [of, held] = find(job, chunk);
    if (!holds(of, held, id)) return undefined;
    held.until = now + LEASE_MS;
    return of.status;
  }

  function steer(job: number, action: 'pause' | 'resume' | 'cancel' | 'retry', now: number): boolean {
    const of = jobAt(job);
    if (action === 'retry') return retry(of, now);
    const stays = { pause: ['paused'], resume: ['queued', 'running'], cancel: ['cancelled'] }[action];
    if (stays.includes(of.status)) return true;
    if (!isOpen(of)) return false;
    if (action === 'pause') of.status = 'paused';
    if (action === 'resume') of.status = of.started ? 'running' : 'queued';
    if (action !== 'cancel') return true;
    for (const chunk of of.chunks) {
      if (chunk.status !== 'running') continue;
      chunk.status = 'queued';
      chunk.claim = 0;
    }
    of.status = 'cancelled';
    return true;
  }

  function retry(of: Job, now: number): boolean {
    if (of.status === 'cancelled') return false;
    for (const chunk of of.chunks) {
      const dead = chunk.rows.filter((row) => of.dead.has(row));
      if (dead.length === 0 || (chunk.status !== 'dead' && chunk.status !== 'succeeded')) continue;
      Object.assign(chunk, { status: 'queued', attempts: 0, due: now, claim: 0, rows: dead });
      for (const row of dead) of.dead.delete(row);
      if (of.status === 'failed') of.status = 'queued';
    }
    return true;
  }

  function claimOnce(now: number): Claim | undefined {
    if (jobs.reduce((sum, job) => sum + running(job), 0) >= tenantCap) return undefined;
    const inOrder = [...jobs.entries()].sort(([a, one], [b, two]) => two.priority - one.priority || a - b);
    for (const [place, job] of inOrder) {
      if ((job.status !== 'queued' && job.status !== 'running') || running(job) >= job.cap) continue;
      const [chunk] = job.chunks
        .filter(({ status, due }) => status === 'queued' && due <= now)
        .sort((a, b) => a.due - b.due || a.number - b.number);
      if (chunk === undefined) continue;
      claims += 1;
      Object.assign(chunk, {
        status: 'running',
        attempts: chunk.attempts + 1,
        until: now + LEASE_MS,
        claim: claims,
      });
      job.status = 'running';
      job.started = true;
      return { id: claims, job: place, chunk: chunk.number, rows: chunk.rows, attempt: chunk.attempts };
    }
    return undefined;
  }

  function takeBackLost(now: number): boolean {
    let any = false;
    for (const job of jobs) {
      for (const chunk of job.chunks) {
        if (chunk.status !== 'running' || chunk.until > now) continue;
        any = true;
        takeFrom(job, chunk, chunk.attempts >= job.maxAttempts);
      }
    }
    return any;
  }

  function takeFrom(job: Job, chunk: Chunk, dies: boolean): void {
    chunk.claim = 0;
    chunk.status = dies ? 'dead' : 'queued';
    if (!dies) return;
    for (const row of chunk.rows) job.dead.add(row);
    end(job);
  }

  function end(job: Job): void {
    if (!isOpen(job) || job.chunks.some(({ status }) => status === 'queued' || status === 'running')) return;
    job.status = job.dead.size > 0 ? 'failed' : 'succeeded';
  }

  function holds(job: Job, chunk: Chunk, id: number): boolean {
    return chunk.claim === id && chunk.status === 'running' && isOpen(job);
  }

  function jobAt(place: number): Job {
    const job = jobs[place];
    if (job === undefined) throw new Error('There is no such job.');
    return job;
  }

  function find(place: number, number: number): readonly [Job, Chunk] {
    const job = jobAt(place);
    const chunk = job.chunks[number - 1];
    if (chunk === undefined) throw new Error('There is no such chunk.');
    return [job, chunk];
  }

  return { jobs, claim, complete, fail, setDue, release, heartbeat, steer };
}
