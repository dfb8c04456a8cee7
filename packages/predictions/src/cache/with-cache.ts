import { setTimeout as pause } from 'node:timers/promises';
import { type Database, type Id, parseInput, readOne, type TenantOptions, withTenant } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, type VersionSubject, versionSubject } from '@mcp-hub/registry';
import { z } from 'zod';
import { PREDICTION_LIMITS } from '../limits.ts';
import {
  type CacheLook,
  claimEntry,
  extendClaim,
  lookUpEntry,
  type NewOutput,
  releaseClaim,
  storeOutput,
} from './cache-entries.ts';
import { joinFlight } from './cache-flights.ts';
import { cacheKey } from './cache-key.ts';
import { noteHit, noteMiss } from './cache-usage.ts';
import { plainJson } from './canonical-json.ts';
import { evictAfterStore } from './evict-cache.ts';

/** What a computation is told. */
export interface ComputeCall {
  /** The version that was named, or that the alias led to when the call began. */
  readonly versionId: Id<'ModelVersion'>;
  /** Aborts when the caller's own signal does. */
  readonly signal: AbortSignal;
}

export const WithCacheInput = z
  .strictObject({
    ...versionSubject,
    /** JSON. */
    input: z.unknown(),
    /** All else that the output depends on. Default: none, which is not the same as null. */
    params: z.unknown().optional(),
    /** Gives the output, as JSON, where nobody has it. It runs outside of any transaction. */
    compute: z.custom<(call: ComputeCall) => unknown>((value) => typeof value === 'function', 'must be a function'),
    /** How long a process that died keeps others from computing; renewed while it computes. Default 30,000. */
    leaseMs: z.int().min(PREDICTION_LIMITS.cacheLeaseMsMin).max(PREDICTION_LIMITS.cacheLeaseMs).optional(),
    /** Ends the call. */
    signal: z.instanceof(AbortSignal).optional(),
  })
  .refine(namesOneVersion, ONE_VERSION);
export type WithCacheInput<Output = unknown> = Readonly<Omit<z.input<typeof WithCacheInput>, 'compute'>> & {
  readonly compute: (call: ComputeCall) => Output | Promise<Output>;
};

export interface WithCacheOptions {
  /** What `app_now()` answers in its transactions. Default: the database's clock. */
  readonly now?: () => Date;
}

/** An output, and how it came. */
export interface CachedOutput<Output> {
  /** As JSON gives it back, whether it was computed or read: each caller has a copy of its own. */
  readonly output: Output;
  readonly versionId: Id<'ModelVersion'>;
  /** False: this call computed. */
  readonly isHit: boolean;
  /** Whether it is kept for the next call. */
  readonly isStored: boolean;
}

/**
 * The output of a version for an input: the one that is kept, or what `compute` gives, which is kept then. Of all calls for
 * the same at the same time, in whatever processes, one computes and the others wait: it holds a claim under a lease, which
 * it renews, and which others take over where its process dies. The version is followed once, when the call begins.
 *
 * A hit is one round trip and writes nothing; a miss is two transactions more, none of which is open while `compute` runs.
 *
 * What `compute` throws, its caller gets, and whoever waited for it in the same process; nothing is kept, the claim is free
 * at once, and one who waits in another process computes next. Where the caller's own signal had aborted, the others of its
 * process do so too. An output that is too large, whose version was invalidated or lost its mark meanwhile, or that came
 * after another had taken over, is returned and not kept; so is one that the database could not take.
 *
 * @throws DomainError `not_found`, `failed_precondition` for a version that is not marked deterministic, `invalid_input` for
 *   an input or output that is no JSON; the reason of `signal`.
 */
export async function withCache<Output>(
  db: Database,
  tenant: string,
  input: WithCacheInput<Output>,
  options: WithCacheOptions = {},
): Promise<CachedOutput<Output>> {
  const parsed = parseInput(WithCacheInput, input);
  const { compute, signal, leaseMs = 30_000, input: given, params, ...subject } = parsed;
  const key = cacheKey(given, params);
  let wanted: VersionSubject = subject;
  for (;;) {
    signal?.throwIfAborted();
    const look = await readOne(db, tenant, (tx) => lookUpEntry(tx, wanted, key), clockOf(options));
    if (look.output !== null) {
      noteHit(db, tenant, look, look.output.computeMs, look.at);
      return answer<Output>(look, { text: look.output.text, isHit: true, isStored: true });
    }
    wanted = { versionId: look.versionId };
    const id = `${look.versionId} ${key} ${look.generation} ${tenant}`;
    const { leads, end } = joinFlight(db, id, signal, () =>
      lead({ db, tenant, compute, leaseMs, signal, options }, look),
    );
    const landed = await (leads ? end : untilAborted(end, signal));
    if (landed.kind === 'landed') {
      const { made, isHit, isStored, at } = landed.outcome;
      if (isHit || !leads) noteHit(db, tenant, look, made.computeMs, at);
      else noteMiss(db, tenant, look);
      return answer<Output>(look, { text: made.text, isHit: isHit || !leads, isStored });
    }
    if (leads || landed.kind === 'failed') throw landed.error;
  }
}

const clockOf = ({ now }: WithCacheOptions): Pick<TenantOptions, 'now'> => (now === undefined ? {} : { now: now() });

const answer = <Output>(
  { versionId }: CacheLook,
  { text, ...how }: { readonly text: string; readonly isHit: boolean; readonly isStored: boolean },
): CachedOutput<Output> => ({ output: JSON.parse(text) as Output, versionId, ...how });

interface Call {
  readonly db: Database;
  readonly tenant: string;
  readonly compute: (call: ComputeCall) => unknown;
  readonly leaseMs: number;
  readonly signal: AbortSignal | undefined;
  readonly options: WithCacheOptions;
}

interface Outcome {
  readonly made: Pick<NewOutput, 'text' | 'computeMs'>;
  readonly isHit: boolean;
  readonly isStored: boolean;
  readonly at: Date;
}

const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 250;

/** Waits until the output is there, or the place is free and it is this process that takes it. */
async function lead(call: Call, first: CacheLook): Promise<Outcome> {
  const { db, tenant, signal, options } = call;
  let look = first;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * 1.5)) {
    if (look.output !== null) return { made: look.output, isHit: true, isStored: true, at: look.at };
    if (!look.isTaken) {
      const claim = await withTenant(db, tenant, (tx) => claimEntry(tx, look, call.leaseMs), clockOf(options));
      if (claim !== undefined) return await computeUnder(call, look, claim);
    }
    // With jitter, so that processes that began together do not go on asking together.
    await untilAborted(pause(pauseMs * (0.5 + Math.random())), signal);
    signal?.throwIfAborted();
    const { versionId, key } = look;
    look = await readOne(db, tenant, (tx) => lookUpEntry(tx, { versionId }, key), clockOf(options));
  }
}

async function computeUnder(call: Call, look: CacheLook, claim: string): Promise<Outcome> {
  const { db, tenant, compute, signal = new AbortController().signal, options } = call;
  const heart = beat(call, look, claim);
  const start = performance.now();
  let output: NewOutput;
  try {
    const value = await compute({ versionId: look.versionId, signal });
    const computeMs = performance.now() - start;
    const text = plainJson(value, 'output');
    output = { text, computeMs, bytes: Buffer.byteLength(text) };
  } catch (error) {
    await heart.stop();
    // Where it cannot be given up it ends with its lease.
    await withTenant(db, tenant, (tx) => releaseClaim(tx, look, claim), clockOf(options)).catch(() => {});
    throw error;
  }
  await heart.stop();
  const isStored = await keep(call, look, claim, output).catch(() => false);
  return { made: output, isHit: false, isStored, at: look.at };
}

async function keep(call: Call, look: CacheLook, claim: string, output: NewOutput): Promise<boolean> {
  const { db, tenant, options } = call;
  if (output.bytes > Math.min(PREDICTION_LIMITS.cacheOutputBytes, look.maxBytes)) {
    await withTenant(db, tenant, (tx) => releaseClaim(tx, look, claim), clockOf(options));
    return false;
  }
  const isStored = await withTenant(db, tenant, (tx) => storeOutput(tx, look, claim, output), clockOf(options));
  if (isStored) await evictAfterStore(db, tenant, look, output.bytes, clockOf(options));
  return isStored;
}

/** Renews the claim three times a lease. What was lost is lost: the output is still the caller's. */
function beat({ db, tenant, leaseMs, options }: Call, look: CacheLook, claim: string) {
  let renewing: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    renewing ??= withTenant(db, tenant, (tx) => extendClaim(tx, look, claim, leaseMs), clockOf(options))
      .then((isHeld) => (isHeld ? undefined : clearInterval(timer)))
      // The next one tries again.
      .catch(() => {})
      .finally(() => {
        renewing = undefined;
      });
  }, leaseMs / 3);
  // It is the computation that keeps the process alive.
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await renewing;
    },
  };
}

/** As `work`; rejects with the signal's reason as soon as it aborts. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
