import postgres from 'postgres';

export const searchShape = {
  tenant: 'bench',
  runs: 50_000,
  /** Their rows stand in the same tables and indexes. */
  otherTenants: 4,
  runsOfOther: 5_000,
} as const;

/**
 * Runs `run 1` …, a minute apart, of 20 groups, each with params `param 1` … `param 10` of ten values but the last, which is
 * its own; metrics `loss`, `auc`, `f1`, `lr` and `epoch`, of which f1 is missing from every tenth run and NaN in others; tags
 * `team`, `user` and `note`.
 */
export async function fillRuns(ownerUrl: string): Promise<void> {
  const { tenant, runs, otherTenants, runsOfOther } = searchShape;
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await fillTenant(owner, tenant, runs);
  for (let other = 0; other < otherTenants; other += 1) await fillTenant(owner, `${tenant}-${other}`, runsOfOther);
  await owner`vacuum analyze training_runs, training_params, training_tags, training_metric_keys`;
  await owner.end();
}

async function fillTenant(owner: postgres.Sql, tenant: string, runs: number): Promise<void> {
  await owner.begin(async (tx) => {
    await tx`select app_set_tenant(${tenant}), setseed(0.5)`;
    await tx`
      insert into training_runs (name, group_name, status, code_version, dataset_name, dataset_digest, seed, environment,
                                 started_at, ended_at, created_at, updated_at)
      select 'run ' || n, 'group ' || n % 20, 'succeeded', md5((n / 100)::text), 'flights', md5((n / 1000)::text), n,
             '{"python": "3.12", "gpus": 2}', at, at + interval '30 seconds', at, at
        from generate_series(1, ${runs}::int) n,
             lateral (select timestamptz '2026-01-01Z' + n * interval '1 minute') as time (at)`;
    await tx`
      insert into training_params (run_id, key, value)
      select id, 'param ' || p, case p when 10 then name else 'value ' || floor(random() * 10) end
        from training_runs, generate_series(1, 10) p`;
    await tx`
      insert into training_tags (run_id, key, value)
      select id, key, case key when 'note' then name else key || ' ' || floor(random() * 10) end
        from training_runs, unnest(array['team', 'user', 'note']) key`;
    await tx`
      insert into training_metric_keys (run_id, key, key_id, point_count, goal, latest_step, latest_at, latest_value,
                                        min_value, min_step, min_at, max_value, max_step, max_at)
      select id, key, ix, 100, goal, 99, started_at, case when key = 'f1' and seed % 20 = 1 then 'NaN' else value end,
             value - 0.1, 5, started_at, value + 0.1, 50, started_at
        from training_runs,
             unnest(array['loss', 'auc', 'f1', 'lr', 'epoch'], array['minimize', 'maximize', 'maximize', null, null])
             with ordinality as keys (key, goal, ix),
             lateral (select random() + ix * 0 + seed * 0 as value) as random
       where key <> 'f1' or seed % 10 > 0`;
  });
}
