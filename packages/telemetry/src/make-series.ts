import { DomainError, jsonArray, type TenantTx, tenantOf, textArray } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { mlTelemetryMetrics, mlTelemetrySeries, type TelemetryLabels } from './schema.ts';

/** A series as a batch names it. */
export interface WantedSeries {
  readonly subject: string;
  readonly metric: string;
  readonly labels: TelemetryLabels;
  readonly unit: string | undefined;
  /** The first event of the batch that belongs to it. */
  readonly index: number;
}

interface MetricRow extends Record<string, unknown> {
  readonly metric: string;
  readonly unit: string | null;
  readonly label_set_limit: number;
}

/**
 * Makes the series, and their metrics, that are not there yet, and says the unit of a metric that had none. Holds the
 * rows of the metrics until the transaction ends, taken in the order of their names, so that the limit of label sets is
 * exact. Three round trips.
 *
 * @throws DomainError `conflict` for another unit than the metric has, `invalid_input` where a metric would have more
 *   label sets than its limit; both name the event.
 */
export async function makeSeries(tx: TenantTx, wanted: readonly WantedSeries[]): Promise<void> {
  const tenant = tenantOf(tx);
  const metrics = textArray([...new Set(wanted.map(({ metric }) => metric))]);
  await tx.execute(sql`
    insert into ${mlTelemetryMetrics} (tenant_id, metric)
    select ${tenant}, metric from unnest(${metrics}) as metric order by metric
        on conflict (tenant_id, metric) do nothing`);
  const rows = await tx.execute<MetricRow>(sql`
    select metric, unit, label_set_limit from ${mlTelemetryMetrics}
     where tenant_id = ${tenant} and metric = any (${metrics})
     order by metric
       for no key update`);
  const units = new Map(rows.map(({ metric, unit }) => [metric, unit]));
  for (const { metric, unit, index } of wanted) {
    if (unit === undefined) continue;
    const known = units.get(metric) ?? unit;
    if (known !== unit) throw otherUnit(index);
    units.set(metric, unit);
  }
  // A statement of its own: it sees what whoever held the rows before has committed.
  const [outcome] = await tx.execute<{ over: number | null }>(sql`
    with wanted as materialized (
      select number, subject, metric, labels, md5(labels::text)::uuid as labels_key
        from unnest(${textArray(wanted.map(({ subject }) => subject))},
                    ${textArray(wanted.map(({ metric }) => metric))},
                    ${jsonArray(wanted.map(({ labels }) => labels))})
             with ordinality as w (subject, metric, labels, number)
    ), new_sets as materialized (
      select metric, first, row_number() over (partition by metric order by first) as nth
        from (select w.metric, w.labels_key, min(w.number) as first
                from wanted w
               where not exists (
                 select from ${mlTelemetrySeries} s
                  where s.tenant_id = ${tenant} and s.metric = w.metric and s.labels_key = w.labels_key)
               group by w.metric, w.labels_key) grouped
    ), over as materialized (
      select min(n.first) as first
        from new_sets n
        join ${mlTelemetryMetrics} m on m.tenant_id = ${tenant} and m.metric = n.metric
       where m.label_set_count + n.nth > m.label_set_limit
    ), made as (
      insert into ${mlTelemetrySeries} (tenant_id, id, subject, metric, labels)
      select ${tenant}, app_uuid_v7(), subject, metric, labels
        from wanted
       where (select first from over) is null
       order by metric, subject, labels_key
          on conflict (tenant_id, metric, subject, labels_key) do nothing
    ), counted as (
      update ${mlTelemetryMetrics} m
         set label_set_count = m.label_set_count + (select count(*) from new_sets n where n.metric = m.metric),
             unit            = coalesce(m.unit, given.unit),
             updated_at      = app_now()
        from unnest(${textArray([...units.keys()])}, ${textArray([...units.values()])}) as given (metric, unit)
       where m.tenant_id = ${tenant} and m.metric = given.metric and (select first from over) is null
         and (m.unit is distinct from coalesce(m.unit, given.unit)
              or exists (select from new_sets n where n.metric = m.metric))
    )
    select first::int as over from over`);
  const over = wanted[(outcome?.over ?? 0) - 1];
  if (over === undefined) return;
  throw tooManyLabelSets(over.index, rows.find(({ metric }) => metric === over.metric)?.label_set_limit ?? 0);
}

function otherUnit(index: number): DomainError {
  return new DomainError(
    'conflict',
    `events[${index}].unit is another than its metric has. Record another unit under another metric: one aggregate over both would mean nothing.`,
    { details: { field: `events[${index}].unit`, index } },
  );
}

function tooManyLabelSets(index: number, limit: number): DomainError {
  return new DomainError(
    'invalid_input',
    `events[${index}].labels would give its metric more than ${limit} different sets of labels. Leave out a label that has a value of its own for each request or user, or raise the limit by setMetric.`,
    { details: { field: `events[${index}].labels`, index, limit } },
  );
}
