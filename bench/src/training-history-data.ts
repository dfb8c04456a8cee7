import postgres from 'postgres';

export const historyShape = {
  tenant: 'history',
  keys: 10,
  /** Of each key of each run: a run has 100,000 points. */
  steps: 10_000,
  /** One run more has ten times as many steps: a million points. */
  longRun: 0,
} as const;

/** The id of run `number`. */
export const runIdAt = (number: number): string => `01890000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

/**
 * Fills training_metrics with at least `points` points, which lie there as training writes them, step by step, and puts
 * the same rows into `clustered.training_metrics` in the order of their keys. The number of runs.
 */
export async function fillHistory(ownerUrl: string, points: number): Promise<number> {
  const { tenant, keys, steps, longRun } = historyShape;
  const runs = Math.ceil(points / (keys * steps));
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await owner`create schema clustered`;
  // Filled without its key, because sorting ten million rows for an index takes seconds and inserting them minutes.
  await owner`alter table training_metrics drop constraint training_metrics_pk`;
  await owner.begin(async (tx) => {
    await tx`select app_set_tenant(${tenant})`;
    await tx`
      create temporary table run on commit drop as
      select ('01890000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid as id,
             ${steps}::int * case number when ${longRun} then 10 else 1 end as steps
        from generate_series(0, ${runs}::int) as number`;
    await tx`insert into training_runs (id, name, last_metric_key_id) select id, id::text, ${keys}::int from run`;
    await tx`
      insert into training_metrics (run_id, key_id, step, at, value)
      select id, n % ${keys}::int + 1, n / ${keys}::int + 1,
             timestamptz '2026-01-01Z' + n / ${keys}::int * interval '1 second', 1.0 / (n + 1)
        from run, generate_series(0, run.steps * ${keys}::int - 1) as n`;
    await tx`
      insert into training_metric_keys (run_id, key, key_id, point_count, latest_step, latest_at, latest_value)
      select id, 'metric ' || key, key, steps, steps,
             timestamptz '2026-01-01Z' + (steps - 1) * interval '1 second', 1.0 / (${keys}::int * (steps - 1) + key)
        from run, generate_series(1, ${keys}::int) as key`;
  });
  await owner`
    alter table training_metrics
      add constraint training_metrics_pk primary key (tenant_id, run_id, key_id, step, at, value)`;
  // What one would make for this query alone: the rows in the order of their keys, and an index that finds a key.
  await owner`create table clustered.training_metrics (like training_metrics including defaults)`;
  await owner.begin(async (tx) => {
    await tx`select set_config('app.tenant', ${tenant}, true)`;
    await tx`
      insert into clustered.training_metrics
      select * from training_metrics order by tenant_id, run_id, key_id, step`;
  });
  await owner`create index on clustered.training_metrics (tenant_id, run_id, key_id, step)`;
  await owner`grant usage on schema clustered to public`;
  await owner`grant select on clustered.training_metrics to public`;
  await owner`vacuum (analyze) training_metrics, clustered.training_metrics, training_metric_keys, training_runs`;
  await owner.end();
  return runs;
}
