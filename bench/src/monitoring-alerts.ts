import { connect, type Database, dispatchWork, withTenant } from '@mcp-hub/db-core';
import { alertRules, createAlertRule, evaluateDueRules, evaluationHandler } from '@mcp-hub/monitoring';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const tenant = 'bench';
const rules = 10_000;
const minutes = 240;
const rounds = 7;
const start = Date.UTC(2026, 4, 4, 10);
const minute = (n: number) => new Date(start + n * 60_000);

/** A tenant's 10,000 rules, each over a series of its own, beside as many reads of rows by their primary key. */
export async function benchMonitoringAlerts(): Promise<void> {
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: 4 });
  try {
    await fill(database.ownerUrl, db);
    await benchEvaluations(db);
  } finally {
    await db.close();
    await database.end();
  }
}

/** Four hours of minutes of 10,000 series, and for each a rule that does not fire: as it is nearly always. */
async function fill(ownerUrl: string, db: Database): Promise<void> {
  const { ruleId } = await withTenant(
    db,
    tenant,
    (tx) =>
      createAlertRule(tx, {
        name: 'rule 0',
        condition: {
          ...{ kind: 'threshold', op: '>', value: 1_000, windowMs: 300_000 },
          of: { source: 'telemetry', metric: 'latency', statistic: 'mean', subject: 'endpoint 0' },
        },
      }),
    { now: minute(0) },
  );
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await owner`select set_config('app.tenant', ${tenant}, false)`;
  await owner`insert into ml_telemetry_metrics (metric, label_set_count) values ('latency', 1)`;
  await owner`insert into ml_telemetry_series (subject, metric)
              select 'endpoint ' || s, 'latency' from generate_series(0, ${rules - 1}::int) s`;
  await owner`
    insert into ml_telemetry_aggregates (series_id, grain, bucket_at, n, mean, m2, min, max, nan_count, infinity_count,
                                         negative_infinity_count, histogram_keys, histogram_counts)
    select id, 'minute', ${minute(0).toISOString()}::timestamptz + n * interval '1 minute', 60, 100, 0, 100, 100, 0, 0, 0,
           '{40231}', '{60}'
      from ml_telemetry_series, generate_series(0, ${minutes - 1}::int) n`;
  await owner`
    insert into alert_rules (id, name, condition, severity, labels, interval_ms, delay_ms, for_ms, keep_firing_for_ms,
                             cooldown_ms, repeat_ms, missing_data, is_enabled, revision)
    select app_uuid_v7(), 'rule ' || n, jsonb_set(condition, '{of,subject}', to_jsonb('endpoint ' || n)), severity, labels,
           interval_ms, delay_ms, for_ms, keep_firing_for_ms, cooldown_ms, repeat_ms, missing_data, is_enabled, revision
      from alert_rules, generate_series(1, ${rules - 1}::int) n
     where id = ${ruleId}`;
  await owner`insert into alert_rule_clocks (rule_id) select id from alert_rules where id <> ${ruleId}`;
  await owner`vacuum analyze`;
  await owner.end();
}

async function benchEvaluations(db: Database): Promise<void> {
  const rows = await withTenant(db, tenant, (tx) =>
    tx.execute<{ id: string }>(sql`select id from ${alertRules} where tenant_id = ${tenant} order by md5(id::text)`),
  );
  const ids = rows.map(({ id }) => id);
  const read = (at: Date) =>
    withTenant(
      db,
      tenant,
      async (tx) => {
        for (const id of ids) {
          await tx.execute(sql`select * from ${alertRules} where tenant_id = ${tenant} and id = ${id}::uuid`);
        }
      },
      { now: at },
    );
  const evaluate = async (at: Date) => {
    for (let more = true; more; ) {
      const report = await withTenant(db, tenant, (tx) => evaluateDueRules(tx), { now: at });
      more = report.more;
    }
  };
  const monitor = async (at: Date) => {
    const now = () => at;
    await dispatchWork(db, { ...evaluationHandler({ now }), now });
  };
  // Later in each turn: a rule is evaluated once for a time.
  let turn = 10;
  const next = () => {
    turn += 1;
    return minute(turn);
  };
  const measured = await measure(
    [
      { name: `${rules} reads by primary key, one after the other`, run: () => read(next()) },
      { name: `${rules} rules evaluated, 1,000 a transaction`, aim: '1.5', run: () => evaluate(next()) },
      { name: 'the same by the monitor', run: () => monitor(next()) },
    ],
    { rounds, warmUp: 1 },
  );
  printTable(
    `A turn of ${rules} rules, median of ${rounds}`,
    measured.map(({ name, medianMs, ratio, aim }) => ({ what: name, 'median ms': medianMs, ratio, aim })),
  );
}
