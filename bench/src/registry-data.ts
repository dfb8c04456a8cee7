import postgres from 'postgres';

export const registryShape = {
  tenant: 'bench',
  models: 1_000,
  versionsPerModel: 100,
  /** Their rows stand in the same tables and indexes, and between them they have as many versions again. */
  otherTenants: 10,
} as const;

/** Models `model 1` …, each with versions `1` …, an alias `champion` on version 50, one version in production, and tags. */
export async function fillRegistry(ownerUrl: string): Promise<void> {
  const { tenant, models, versionsPerModel, otherTenants } = registryShape;
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  await fillTenant(owner, tenant, models, versionsPerModel);
  for (let other = 0; other < otherTenants; other += 1) {
    await fillTenant(owner, `${tenant}-${other}`, models / otherTenants, versionsPerModel);
  }
  // What a team without this layer would read: the same rows, without row level security.
  await owner`create schema bare`;
  await owner`create table bare.model_registry (like model_registry including defaults including indexes)`;
  await owner.begin(async (tx) => {
    await tx`select set_config('app.tenant', ${tenant}, true)`;
    await tx`insert into bare.model_registry select * from model_registry`;
  });
  await owner`grant usage on schema bare to public`;
  await owner`grant select on bare.model_registry to public`;
  await owner`vacuum analyze`;
  await owner.end();
}

async function fillTenant(owner: postgres.Sql, tenant: string, models: number, versions: number): Promise<void> {
  await owner.begin(async (tx) => {
    await tx`select app_set_tenant(${tenant})`;
    await tx`insert into registered_models (name, last_version_number)
             select 'model ' || m, ${versions}::int from generate_series(1, ${models}::int) m`;
    // Versions of all models by turns, a minute apart, as teams register them.
    await tx`
      insert into model_registry (name, version, stage, stage_change_number, artifact_uri, content_digest, flavour,
                                  metadata, created_at, updated_at)
      select 'model ' || m, v::text, case v when ${versions}::int / 2 then 'production' else 'development' end, v,
             's3://models/' || m || '/' || v, 'sha256:' || md5(m || '/' || v), 'onnx', '{"seed": 7}', at, at
        from generate_series(1, ${versions}::int) as vs (v), generate_series(1, ${models}::int) as ms (m),
             lateral (select timestamptz '2026-01-01Z' + (v * ${models}::int + m) * interval '1 minute') as time (at)
       order by vs.v, ms.m`;
    await tx`insert into model_aliases (name, alias, version)
             select 'model ' || m, 'champion', (${versions}::int / 2)::text from generate_series(1, ${models}::int) m`;
    await tx`
      insert into model_tags (version_id, key, value)
      select id, key, case key when 'team' then 'team ' || (hashtext(name) & 15) else version end
        from model_registry, unnest(array['team', 'run']) key`;
  });
}
