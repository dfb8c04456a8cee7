import { type Database, isDomainError, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import {
  type CacheStats,
  createPredictionWriter,
  flushCacheUsage,
  getCacheStats,
  iteratePredictions,
  type PredictionWriter,
  removeCachePolicy,
  setCachePolicy,
  withCache,
} from '@mcp-hub/predictions';
import { actor } from '../actor.ts';
import type { ScoredFlight } from '../late-arrival-models.ts';
import { featuresOf, type MonthOfFlights, predictFlight, subjectOf } from './month-of-flights.ts';
import type { OnStep } from './month-step.ts';
import type { ServedVersion } from './served-version.ts';

const ASKS_AT_A_TIME = 4;

export interface OnlineReport {
  /** Whether this run of the example answered. */
  readonly isNew: boolean;
  readonly cache: CacheStats;
}

/**
 * Answers what is asked online, each through the cache, and records the prediction of each flight once through a writer.
 * What has been answered already is left as it is.
 */
export async function answerOnline(
  db: Database,
  tenant: string,
  served: ServedVersion,
  month: MonthOfFlights,
  onStep: OnStep,
): Promise<OnlineReport> {
  const { versionId } = served;
  const before = await findCache(db, tenant, versionId);
  if (before !== undefined && before.hits + before.misses === month.asks.length) return { isNew: false, cache: before };

  await withTenant(
    db,
    tenant,
    async (tx) => {
      // What a run that was broken off had counted is lost in part, so all is asked again of a cache that is empty.
      await removeCachePolicy(tx, { versionId });
      await setCachePolicy(tx, { versionId, deterministic: true });
    },
    { actor },
  );
  const recorded = await withTenant(db, tenant, (tx) => readOnlineSubjects(tx, versionId));
  const refused: unknown[] = [];
  const writer = createPredictionWriter(db, tenant, { onRejected: ({ error }) => refused.push(error) });
  const asks = month.asks.values();
  const answerInTurn = async () => {
    for (const flight of asks) {
      await answer(db, tenant, served, flight, { writer, recorded });
      await onStep('asked');
    }
  };
  try {
    await Promise.all(Array.from({ length: ASKS_AT_A_TIME }, answerInTurn));
  } finally {
    const unwritten = await writer.close();
    if (unwritten.length > 0) refused.push(new Error(`${unwritten.length} predictions could not be written.`));
  }
  for (const error of refused) throw error;
  // Hits are counted in the process; a service leaves it to the timer to write them.
  await flushCacheUsage(db);
  return { isNew: true, cache: await readOne(db, tenant, (tx) => getCacheStats(tx, { versionId })) };
}

async function answer(
  db: Database,
  tenant: string,
  { versionId, model }: ServedVersion,
  asked: ScoredFlight,
  { writer, recorded }: { readonly writer: PredictionWriter; readonly recorded: Set<string> },
): Promise<void> {
  const from = performance.now();
  const features = featuresOf(model, asked);
  const { output } = await withCache(db, tenant, {
    versionId,
    input: features,
    compute: () => predictFlight(model, features),
  });
  const subject = subjectOf(asked.flight);
  if (recorded.has(subject)) return;
  recorded.add(subject);
  await writer.enqueue({ versionId, subject, features, ...output, latencyMs: performance.now() - from });
}

async function findCache(db: Database, tenant: string, versionId: string): Promise<CacheStats | undefined> {
  try {
    return await readOne(db, tenant, (tx) => getCacheStats(tx, { versionId }));
  } catch (error) {
    // The version is not marked deterministic yet.
    if (isDomainError(error, 'failed_precondition')) return undefined;
    throw error;
  }
}

async function readOnlineSubjects(tx: TenantTx, versionId: string): Promise<Set<string>> {
  const subjects = new Set<string>();
  for await (const { subject } of iteratePredictions(tx, { versionId })) subjects.add(subject);
  return subjects;
}
