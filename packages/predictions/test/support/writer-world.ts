import { type Database, type Id, withTenant } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { createPredictionWriter, type PredictionWriterOptions, type RejectedPrediction } from '../../src/index.ts';

/** Time that a test lets pass. */
export interface TestTimer {
  readonly after: (ms: number, work: () => void) => () => void;
  /** How long each of those that run is to last. */
  waits(): readonly number[];
  /** Ends the one that is to last the shortest. */
  fire(): void;
}

export function testTimer(): TestTimer {
  const running = new Set<{ readonly ms: number; readonly work: () => void }>();
  return {
    after: (ms, work) => {
      const timer = { ms, work };
      running.add(timer);
      return () => running.delete(timer);
    },
    waits: () => [...running].map(({ ms }) => ms),
    fire: () => {
      const [shortest] = [...running].toSorted((one, other) => one.ms - other.ms);
      if (shortest === undefined) throw new Error('No timer runs.');
      running.delete(shortest);
      shortest.work();
    },
  };
}

/** A tenant that has versions 1 and 2 of the model churn. */
export async function writerTenant(db: Database): Promise<string> {
  const tenant = freshTenant();
  await withTenant(db, tenant, async (tx) => {
    await registerVersion(tx, { name: 'churn' });
    await registerVersion(tx, { name: 'churn' });
  });
  return tenant;
}

/** A writer that keeps what it could not write. */
export function openWriter(db: Database, tenant: string, options: Partial<PredictionWriterOptions> = {}) {
  const rejected: RejectedPrediction[] = [];
  const writer = createPredictionWriter(db, tenant, {
    onRejected: (one) => void rejected.push(one),
    retryMs: 5,
    retryMaxMs: 50,
    ...options,
  });
  return { writer, rejected };
}

export interface StoredRow extends Record<string, unknown> {
  readonly id: Id<'Prediction'>;
  readonly version: string;
  readonly subject: string;
  readonly score: number | null;
  readonly output: unknown;
}

/** In the order of time. */
export const storedRows = async (db: Database, tenant: string): Promise<readonly StoredRow[]> =>
  await withTenant(db, tenant, (tx) =>
    tx.execute<StoredRow>(sql`
      select p.id, v.version, p.subject, p.score, p.output
        from predictions p
        join model_registry v on v.tenant_id = p.tenant_id and v.id = p.model_version_id
       order by p.id`),
  );

export const subjectsOf = async (db: Database, tenant: string): Promise<readonly string[]> =>
  (await storedRows(db, tenant)).map(({ subject }) => subject);
