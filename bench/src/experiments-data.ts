import type postgres from 'postgres';

export const TENANT = 'bench';
export const EXPERIMENT = '00000000-0000-7000-8000-000000000001';
const variantOf = (n: string) => `('00000000-0000-7000-8000-00000000001' || ${n})::uuid`;

/** An experiment of three arms and five metrics: two means, one of them by CUPED, a proportion, a ratio and a mean by days. */
export async function insertBenchExperiment(admin: postgres.Sql): Promise<void> {
  await admin.unsafe(`
    insert into ab_experiments (tenant_id, id, key, hypothesis, seed, status)
    values ('${TENANT}', '${EXPERIMENT}', 'e', 'It is better.', 'e', 'running')`);
  await admin.unsafe(`
    insert into ab_variants (tenant_id, id, experiment_id, key, position, is_control)
    select '${TENANT}', ${variantOf('n')}, '${EXPERIMENT}', 'v' || n, n, n = 0 from generate_series(0, 2) n`);
  await admin.unsafe(`
    insert into ab_metrics (tenant_id, experiment_id, key, position, role, kind, outcome, denominator, delay_ms, window_ms, cuped_ms)
    select '${TENANT}', '${EXPERIMENT}', 'm' || m.position, m.position, 'secondary', m.kind, m.outcome, m.denominator, m.delay_ms,
           m.window_ms, m.cuped_ms
      from (values (0, 'mean', 'outcome 1', null, 0, null::bigint, 604800000::bigint),
                   (1, 'mean', 'outcome 2', null, 0, 604800000, null),
                   (2, 'proportion', 'outcome 0', null, 0, null, null),
                   (3, 'ratio', 'outcome 3', 'outcome 4', 0, null, null),
                   (4, 'mean', 'outcome 4', null, 3600000, 1209600000, null))
           as m (position, kind, outcome, denominator, delay_ms, window_ms, cuped_ms)`);
}

/**
 * Exposures of units that were not exposed before, and as many outcomes, of all units. The units come in no order.
 *
 * @param first number of the first row; `at` gives a row's time by `n`.
 */
export async function insertBenchRows(admin: postgres.Sql, first: number, last: number, at: string): Promise<void> {
  await admin.unsafe(`
    insert into ab_exposures (tenant_id, experiment_id, unit, variant_id, first_at, last_at)
    select '${TENANT}', '${EXPERIMENT}', 'user ' || reverse(lpad(n::text, 9, '0')), ${variantOf('n % 3')}, ${at}, ${at}
      from generate_series(${first}, ${last}) n`);
  await admin.unsafe(`
    insert into ab_outcomes (tenant_id, id, outcome, unit, value)
    select '${TENANT}',
           (substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7' || substr(hash, 1, 3) || '-8' || substr(hash, 4, 3) || '-' ||
            substr(hash, 7, 12))::uuid,
           'outcome ' || n % 5, 'user ' || reverse(lpad((1 + (n::bigint * 104729) % ${last})::text, 9, '0')),
           case when n % 5 = 0 then 1 else round((random() * 100)::numeric, 2) end
      from (select n, md5(n::text) as hash, lpad(to_hex((extract(epoch from ${at}) * 1000)::bigint), 12, '0') as hex
              from generate_series(${first}, ${last}) n) g`);
}
