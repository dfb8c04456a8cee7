import postgres from 'postgres';

export const telemetryShape = {
  tenant: 'bench',
  series: 100,
  /** Between two events of one series. */
  everyMs: 500,
  /** When the history ends and new events begin. */
  until: new Date('2026-05-01T00:00:00Z'),
} as const;

/** Events of 100 series, two a second each, up to `until`, and a mark for each of their minutes. */
export async function fillTelemetry(ownerUrl: string, events: number): Promise<void> {
  const { tenant, series, everyMs, until } = telemetryShape;
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await owner`select set_config('app.tenant', ${tenant}, false)`;
  await owner`insert into ml_telemetry_metrics (metric, label_set_count) values ('latency', 1)`;
  await owner`insert into ml_telemetry_series (subject, metric)
              select 'endpoint ' || s, 'latency' from generate_series(1, ${series}::int) s`;
  // Put back after the rows: built in one go they take a third of the time.
  await owner`alter table ml_telemetry_events drop constraint ml_telemetry_events_pk`;
  await owner`drop index ml_telemetry_events_series_idx`;
  const steps = events / series;
  const start = until.getTime() - steps * everyMs;
  const chunk = 1_000_000 / series;
  for (let step = 0; step < steps; step += chunk) {
    await owner`
      insert into ml_telemetry_events (id, series_id, value)
      select (lpad(to_hex(${start}::bigint + step * ${everyMs}::int), 12, '0') || '70008' || lpad(to_hex(s.number), 15, '0'))::uuid,
             s.id, 10 + random() * 90
        from generate_series(${step}::int, ${step + chunk - 1}::int) step,
             (select id, row_number() over () as number from ml_telemetry_series) s`;
  }
  await owner`alter table ml_telemetry_events add constraint ml_telemetry_events_pk primary key (tenant_id, id)`;
  await owner`create index ml_telemetry_events_series_idx on ml_telemetry_events (tenant_id, series_id, id)`;
  await owner`insert into ml_telemetry_dirty_buckets (series_id, bucket_at)
              select s.id, at
                from ml_telemetry_series s,
                     generate_series(to_timestamp(${start}::float8 / 1000), ${until.toISOString()}::timestamptz - interval '1 second',
                                     interval '1 minute') at
               order by at, s.id`;
  await owner`vacuum analyze`;
  await owner.end();
}
