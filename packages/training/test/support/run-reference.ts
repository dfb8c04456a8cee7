import { legalRunMoves, type RunStatus } from '../../src/index.ts';

/** One call, as plain data. `run` is a place in the list of runs. */
export type Operation =
  | { readonly do: 'start'; readonly run: number; readonly leased: boolean }
  | { readonly do: 'claim' }
  | { readonly do: 'sweep' }
  | { readonly do: 'read' }
  | {
      readonly do: 'finish';
      readonly run: number;
      readonly status: 'succeeded' | 'failed' | 'cancelled';
      readonly token: number | undefined;
    }
  | { readonly do: 'heartbeat'; readonly run: number; readonly token: number }
  | { readonly do: 'log'; readonly run: number; readonly token: number | undefined }
  | { readonly do: 'record'; readonly run: number; readonly token: number | undefined }
  | { readonly do: 'cancel' | 'retry' | 'delete' | 'restore'; readonly run: number };

/** What a call gave, or the code that it was refused with. */
export type Outcome = { readonly refused: string } | { readonly gave: unknown };

/** What start and claim give. */
interface Started {
  readonly run: number;
  readonly token: number;
  readonly attempt: number;
}

export interface RunState {
  status: RunStatus;
  attempt: number;
  /** What writers present; `nobody's` after the run was taken from its holder. */
  token: number | "nobody's";
  /** The highest token that was given out. */
  lastToken: number;
  leasedUntil: number | null;
  deleted: boolean;
}

export const LEASE = 2;

export const newRun = (): RunState => ({
  status: 'queued',
  attempt: 1,
  token: 0,
  lastToken: 0,
  leasedUntil: null,
  deleted: false,
});

const done: Outcome = { gave: null };
const illegal: Outcome = { refused: 'failed_precondition' };
const lost: Outcome = { refused: 'lost' };

/** When a call was made, and whether another transaction ran then, whose runs it passes over. */
export interface Moment {
  readonly at: number;
  readonly overlapped: boolean;
}

/** Makes one call on the runs, in place. False where what it gave is not what it may give there. */
export function explains(runs: RunState[], operation: Operation, actual: Outcome, moment: Moment): boolean {
  if (operation.do === 'sweep') return explainsSweep(runs, actual, moment);
  if (operation.do === 'claim') return explainsClaim(runs, actual, moment);
  if (operation.do === 'read') return isSame({ gave: runs.map(({ status, attempt }) => [status, attempt]) }, actual);
  const run = runs[operation.run];
  if (run === undefined) throw new Error('There is no such run.');
  if (operation.do === 'start') return explainsStart(run, operation, actual, moment);
  return isSame(apply(run, operation, moment.at), actual);
}

type Simple = Exclude<Operation, { readonly do: 'start' | 'claim' | 'sweep' | 'read' }>;

function apply(run: RunState, operation: Simple, at: number): Outcome {
  if (operation.do === 'delete' || operation.do === 'restore') {
    run.deleted = operation.do === 'delete';
    return done;
  }
  if (run.deleted) return illegal;
  if ('token' in operation && (operation.token ?? 0) !== run.token) return lost;
  switch (operation.do) {
    case 'log':
    case 'record':
      return done;
    case 'heartbeat':
      if (run.status !== 'running' || run.leasedUntil === null) return illegal;
      run.leasedUntil = at + LEASE;
      return done;
    case 'finish':
      if (run.status !== operation.status && !move(run, operation.status)) return illegal;
      return done;
    case 'cancel':
      if (run.status === 'cancelled') return done;
      if (!move(run, 'cancelled')) return illegal;
      if (run.token !== 0) run.token = "nobody's";
      return done;
    case 'retry':
      if (!move(run, 'queued')) return illegal;
      run.attempt += 1;
      return { gave: run.attempt };
  }
}

function move(run: RunState, to: RunStatus): boolean {
  if (!legalRunMoves[run.status].includes(to)) return false;
  run.status = to;
  run.leasedUntil = null;
  return true;
}

function explainsStart(
  run: RunState,
  { run: place, leased }: { readonly run: number; readonly leased: boolean },
  actual: Outcome,
  { at }: Moment,
): boolean {
  if (run.deleted || !move(run, 'running')) return isSame(illegal, actual);
  if (!('gave' in actual)) return false;
  const { run: started, token, attempt } = actual.gave as Started;
  const isNewToken = token > run.lastToken;
  if (started !== place || attempt !== run.attempt) return false;
  if (leased || run.token !== 0 ? !isNewToken : token !== 0) return false;
  Object.assign(run, { token, lastToken: token, leasedUntil: leased ? at + LEASE : null });
  return true;
}

function explainsClaim(runs: RunState[], actual: Outcome, moment: Moment): boolean {
  if (!('gave' in actual)) return false;
  const queued = runs.flatMap((run, place) => (run.status === 'queued' && !run.deleted ? [place] : []));
  if (actual.gave === null) return queued.length === 0 || moment.overlapped;
  const { run: place } = actual.gave as Started;
  const run = runs[place];
  if (run === undefined || !queued.includes(place)) return false;
  if (queued[0] !== place && !moment.overlapped) return false;
  return explainsStart(run, { run: place, leased: true }, actual, moment);
}

function explainsSweep(runs: RunState[], actual: Outcome, { at, overlapped }: Moment): boolean {
  if (!('gave' in actual)) return false;
  const swept = actual.gave as readonly number[];
  for (const [place, run] of runs.entries()) {
    const isDue = run.status === 'running' && run.leasedUntil !== null && run.leasedUntil <= at;
    const wasSwept = swept.includes(place);
    if (wasSwept !== isDue && !(isDue && overlapped)) return false;
    if (!wasSwept) continue;
    move(run, 'stale');
    run.token = "nobody's";
  }
  return true;
}

const isSame = (expected: Outcome, actual: Outcome) => JSON.stringify(expected) === JSON.stringify(actual);
