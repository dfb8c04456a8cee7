import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';

const rowsOfInsert = 10_000;
const inserts = 10;

interface Layout {
  readonly name: string;
  readonly table: string;
  readonly key: string;
  readonly tail: string;
}

const byId = { table: 'by_id', key: 'k', tail: '' };
const layouts: readonly Layout[] = [
  { ...byId, name: 'small ids (as training_metrics)' },
  { ...byId, name: 'keys as text of 20 characters', table: 'by_text', key: "'validation/accuracy ' || k" },
  { ...byId, name: 'small ids, ON CONFLICT DO NOTHING', table: 'on_conflict', tail: 'on conflict do nothing' },
  { ...byId, name: 'small ids, a foreign key to the run', table: 'with_fk' },
];

/** What other ways to store points would cost: the same rows, written by the server alone. */
export async function benchLayouts(ownerUrl: string): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  const run = '01890000-0000-7000-8000-000000000000';
  await owner`create schema layouts`;
  await owner`create table layouts.run (tenant_id text not null, id uuid not null, primary key (tenant_id, id))`;
  await owner`insert into layouts.run values ('bench', ${run})`;
  for (const [table, type] of [
    ['by_id', 'int'],
    ['by_text', 'text'],
    ['on_conflict', 'int'],
    ['with_fk', 'int'],
  ] as const) {
    await owner.unsafe(`
      create table layouts.${table} (
        tenant_id text not null, run_id uuid not null, key ${type} not null, step bigint not null,
        at timestamptz(3) not null, value float8 not null, primary key (tenant_id, run_id, key, step, at, value))`);
  }
  await owner`alter table layouts.with_fk add foreign key (tenant_id, run_id) references layouts.run`;
  let step = 0;
  const cases = layouts.map(({ name, table, key, tail }) => ({
    name,
    run: async () => {
      for (let insert = 0; insert < inserts; insert += 1) {
        step += rowsOfInsert / 20;
        await owner.unsafe(`
          insert into layouts.${table}
          select 'bench', '${run}', ${key}, ${step} + s, timestamptz '2026-01-01Z' + s * interval '1 second', 1.0 / (s + k)
            from generate_series(1, 20) k, generate_series(1, ${rowsOfInsert / 20}) s
           order by k, s ${tail}`);
      }
    },
  }));
  const measured = await measure(cases, { rounds: 5, warmUp: 1 });
  const rows = [];
  for (const [index, { name, medianMs, ratio }] of measured.entries()) {
    const [size] = await owner<{ heap: number; index: number }[]>`
      select pg_relation_size(name)::float8 as heap, pg_indexes_size(name)::float8 as index
        from (select ${`layouts.${layouts[index]?.table ?? ''}`}::text::regclass as name) as layout`;
    const points = 6 * rowsOfInsert * inserts;
    rows.push({
      layout: name,
      'points/s': Math.round((rowsOfInsert * inserts) / (medianMs / 1_000)),
      'time beside': ratio,
      'heap bytes a point': (size?.heap ?? 0) / points,
      'index bytes a point': (size?.index ?? 0) / points,
    });
  }
  printTable('Ways to store points', rows);
  await owner`drop schema layouts cascade`;
  await owner.end();
}
