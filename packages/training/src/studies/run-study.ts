import { setTimeout as pause } from 'node:timers/promises';
import { type Database, isLeaseLost, parseInput, withTenant } from '@mcp-hub/db-core';
import { z } from 'zod';
import { TRAINING_LIMITS } from '../limits.ts';
import { type AskedTrial, askTrial, type StudyOptions } from './ask-trial.ts';
import { reportTrialValue } from './report-trial-value.ts';
import { studyIdInput } from './study-inputs.ts';
import { type TellTrialInput, type TrialValues, tellTrial } from './tell-trial.ts';
import { heartbeatTrial, releaseTrial, trialLeaseLost } from './trial-lease.ts';
import type { Trial } from './trials.ts';

/** Thrown by an objective: the trial ends as pruned. */
export class TrialPruned extends Error {
  override readonly name = 'TrialPruned';
}

/** A trial, as an objective gets it. */
export interface ObjectiveTrial extends Omit<AskedTrial, 'leasedUntil' | 'leaseMs'> {
  /** Aborts when the study's run is to stop, and when the trial was given to another worker. */
  readonly signal: AbortSignal;
  /** Records a value at a step (reportTrialValue); the pruner's word is shouldPrune's from then on. */
  report(value: number, step: number): Promise<void>;
  /** What the pruner said of the last report. */
  shouldPrune(): boolean;
}

export type StudyObjective = (trial: ObjectiveTrial) => Promise<TrialValues> | TrialValues;

export const RunStudyInput = z.strictObject({
  studyId: studyIdInput,
  /** What a trial comes to. It throws TrialPruned to end one early; what else it throws is a failed trial. */
  objective: z.custom<StudyObjective>((value) => typeof value === 'function', 'must be a function'),
  /** Trials at a time in this process. Default 1. */
  workers: z.int().min(1).max(TRAINING_LIMITS.workers).optional(),
  /** Trials that this call runs at most. Default: until the study ends. */
  maxTrials: z.int().min(1).optional(),
  /** Stops: no more trials are asked for, and objectives hear of it by their own signal. */
  signal: z.instanceof(AbortSignal).optional(),
  /** Hears of each trial that this call has told. What it throws ends the call. */
  onTrial: z
    .custom<(trial: Trial, error?: unknown) => void>((value) => typeof value === 'function', 'must be a function')
    .optional(),
});
export type RunStudyInput = Readonly<z.input<typeof RunStudyInput>>;

/** How the trials ended that a call ran. */
export interface StudyRun {
  readonly complete: number;
  readonly pruned: number;
  /** Attempts, those that are tried again among them. */
  readonly failed: number;
  /** Given to another worker while the objective ran. */
  readonly lost: number;
  /** Given back because the call was stopped. */
  readonly released: number;
}

/**
 * Runs trials of a study with an objective until its budgets are used, it is stopped or `signal` aborts: asks, has the
 * objective run, holds the trial's lease meanwhile, and tells. No transaction is open while the objective runs. Any number
 * of processes may run one study. It ends when no trial is left that could be tried again, of other processes' too.
 *
 * A trial whose objective throws has failed and the others go on; `onTrial` hears of the error, of which the trial keeps
 * the text. A stopped objective that throws gives its trial back, for the next call to take up; one that returns is told.
 *
 * @throws DomainError `not_found`, and what the database gives; the other workers of the call are stopped first.
 */
export async function runStudy(
  db: Database,
  tenant: string,
  input: RunStudyInput,
  options: Pick<StudyOptions, 'actor'> = {},
): Promise<StudyRun> {
  const { studyId: id, objective, workers = 1, maxTrials, signal, onTrial } = parseInput(RunStudyInput, input);
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort);
  const ended = { complete: 0, pruned: 0, failed: 0, lost: 0, released: 0 };
  let left = maxTrials ?? Number.POSITIVE_INFINITY;

  const work = async () => {
    while (left > 0 && !stop.signal.aborted) {
      left -= 1;
      const asked = await askTrial(db, tenant, { studyId: id }, options);
      if (asked.trial === undefined) {
        left += 1;
        if (asked.reason !== 'trials' || asked.nextLeaseEnd === null) return;
        // Another worker's trial may come back: when it fails, or when its lease has run out.
        await pause(POLL_MS, undefined, { signal: stop.signal }).catch(() => {});
        continue;
      }
      const outcome = await runTrial(db, tenant, asked.trial, objective, stop.signal, options);
      ended[outcome.ended] += 1;
      if (outcome.told !== undefined) onTrial?.(outcome.told, outcome.error);
    }
  };
  try {
    const all = await Promise.allSettled(
      Array.from({ length: workers }, () =>
        work().catch((error: unknown) => {
          stop.abort(error);
          throw error;
        }),
      ),
    );
    const failure = all.find((worker) => worker.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    return ended;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

const POLL_MS = 500;

interface TrialRun {
  readonly ended: keyof StudyRun;
  readonly told?: Trial;
  readonly error?: unknown;
}

async function runTrial(
  db: Database,
  tenant: string,
  asked: AskedTrial,
  objective: StudyObjective,
  stop: AbortSignal,
  options: Pick<StudyOptions, 'actor'>,
): Promise<TrialRun> {
  const { trialId, number, attempt, params, lease } = asked;
  // Not AbortSignal.any: on Node 20 its signals stay alive as long as the caller's own.
  const abort = new AbortController();
  const onStop = () => abort.abort(stop.reason);
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop);
  const heart = beat(db, tenant, asked, abort, options);
  let shouldPrune = false;
  const tell = async (how: Omit<TellTrialInput, 'lease'>) =>
    await withTenant(db, tenant, (tx) => tellTrial(tx, { lease, ...how }), options);
  try {
    const values = await objective({
      trialId,
      number,
      attempt,
      params,
      lease,
      signal: abort.signal,
      shouldPrune: () => shouldPrune,
      report: async (value, step) => {
        const said = await withTenant(db, tenant, (tx) => reportTrialValue(tx, { lease, step, value }), options);
        shouldPrune = said.shouldPrune;
      },
    });
    const told = await tell({ values });
    return { ended: told.status === 'complete' ? 'complete' : 'failed', told };
  } catch (error) {
    if (isLeaseLost(error) || isLeaseLost(abort.signal.reason)) return { ended: 'lost' };
    return await endTrial(error);
  } finally {
    await heart.stop();
    stop.removeEventListener('abort', onStop);
  }

  async function endTrial(error: unknown): Promise<TrialRun> {
    try {
      if (error instanceof TrialPruned) return { ended: 'pruned', told: await tell({ state: 'pruned' }) };
      if (stop.aborted) {
        await withTenant(db, tenant, (tx) => releaseTrial(tx, lease), options);
        return { ended: 'released' };
      }
      return { ended: 'failed', told: await tell({ state: 'failed', error: textOf(error) }), error };
    } catch (second) {
      if (isLeaseLost(second)) return { ended: 'lost' };
      throw second;
    }
  }
}

/** Three heartbeats a lease: two may fail. When the lease is lost, the objective is told. */
function beat(
  db: Database,
  tenant: string,
  { lease, leaseMs }: AskedTrial,
  abort: AbortController,
  options: Pick<StudyOptions, 'actor'>,
): { readonly stop: () => Promise<void> } {
  const stopped = new AbortController();
  const beats = async () => {
    for (let failures = 0; failures < 3; ) {
      await pause(Math.ceil(leaseMs / 3), undefined, { signal: stopped.signal }).catch(() => {});
      if (stopped.signal.aborted) return;
      try {
        await withTenant(db, tenant, (tx) => heartbeatTrial(tx, lease), options);
        failures = 0;
      } catch (error) {
        failures = isLeaseLost(error) ? 3 : failures + 1;
      }
    }
    abort.abort(trialLeaseLost());
  };
  const done = beats();
  return {
    stop: async () => {
      stopped.abort();
      await done;
    },
  };
}

/** What failed, in at most as much text as a trial keeps. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.slice(0, TRAINING_LIMITS.errorLength).replace(/[\0\p{Cs}]/gu, '\ufffd');
}
