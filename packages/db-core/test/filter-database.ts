import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { metrics, params, tags } from './filter-example.ts';

/** The tables of `filter-example.ts`, in a database without migrations; the filter needs no policies. */
export const createFilterTables = `
  create table filter_runs (
    tenant_id  text not null,
    id         uuid not null,
    name       text not null,
    note       text,
    stage      text not null,
    steps      integer not null,
    score      double precision,
    created_at timestamptz(6) not null,
    constraint filter_runs_pk primary key (tenant_id, id)
  );
  create index filter_runs_created_idx on filter_runs (tenant_id, created_at, id);
  create index filter_runs_score_idx on filter_runs (tenant_id, score, id);
  create table filter_tags (tenant_id text not null, run_id uuid not null, key text not null, value text not null, primary key (tenant_id, run_id, key));
  create table filter_params (like filter_tags including all);
  create table filter_latest_metrics (tenant_id text not null, run_id uuid not null, key text not null, value double precision not null, primary key (tenant_id, run_id, key));
`;

export interface ExampleRun {
  readonly name: string;
  readonly note?: string | null;
  readonly stage?: string;
  readonly steps?: number;
  readonly score?: number | null;
  readonly createdAt?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly metrics?: Readonly<Record<string, number>>;
}

export type FilterDatabase = PostgresJsDatabase & { readonly $client: postgres.Sql };

export function openFilterDatabase(url: string): FilterDatabase {
  return drizzle(postgres(url, { max: 4, onnotice: () => {} }));
}

/** A run's id from its number, so that ids sort as numbers do. */
export function runId(number: number): string {
  return `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** Writes runs with the ids `runId(1)`, `runId(2)`, … */
export async function writeRuns(db: FilterDatabase, tenantId: string, examples: readonly ExampleRun[]): Promise<void> {
  const pairsOf = <Value>(read: (run: ExampleRun) => Readonly<Record<string, Value>> | undefined) =>
    examples.flatMap((run, index) =>
      Object.entries(read(run) ?? {}).map(([key, value]) => ({ tenantId, runId: runId(index + 1), key, value })),
    );
  const rows = examples.map((run, index) => ({
    tenantId,
    id: runId(index + 1),
    name: run.name,
    note: run.note ?? null,
    stage: run.stage ?? 'development',
    steps: run.steps ?? 0,
    score: run.score ?? null,
  }));
  for (const [index, row] of rows.entries()) {
    const createdAt = examples[index]?.createdAt ?? '2001-01-01T00:00:00Z';
    await db.$client`
      insert into filter_runs (tenant_id, id, name, note, stage, steps, score, created_at)
      values (${row.tenantId}, ${row.id}, ${row.name}, ${row.note}, ${row.stage}, ${row.steps},
              ${row.score === null ? null : String(row.score)}::text::float8, ${createdAt}::text::timestamptz)`;
  }
  const tagRows = pairsOf((run) => run.tags);
  if (tagRows.length > 0) await db.insert(tags).values(tagRows);
  const paramRows = pairsOf((run) => run.params);
  if (paramRows.length > 0) await db.insert(params).values(paramRows);
  const metricRows = pairsOf((run) => run.metrics);
  if (metricRows.length > 0) await db.insert(metrics).values(metricRows);
}
