import postgres from 'postgres';
import { measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const rows = 1_000_000;
const features = Array.from({ length: 20 }, (_, n) => n);

interface Layout {
  readonly name: string;
  readonly columns: string;
  /** What is inserted, of `v`, an array of 20 numbers. */
  readonly value: string;
  /** The feature of a number as float8. */
  readonly read: (n: number) => string;
}

const layouts: readonly Layout[] = [
  {
    name: 'columns of their own',
    columns: features.map((n) => `feature_${n} float8`).join(', '),
    value: features.map((n) => `v[${n + 1}]`).join(', '),
    read: (n) => `feature_${n}`,
  },
  { name: 'float8[] by a list of names', columns: 'numbers float8[]', value: 'v', read: (n) => `numbers[${n + 1}]` },
  {
    name: 'jsonb by name',
    columns: 'features jsonb',
    value: `jsonb_build_object(${features.map((n) => `'feature_${n}', v[${n + 1}]`).join(', ')})`,
    read: (n) => `(features ->> 'feature_${n}')::float8`,
  },
];

/** Twenty numeric features of a million predictions in three layouts: to write, to keep and to read. */
export async function benchPredictionLayouts(): Promise<void> {
  const database = await startBenchDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await owner`set max_parallel_workers_per_gather = 0`;
    await owner.unsafe(`
      create table source as
      select array(select floor(random() * 100000 + n) / 100 from generate_series(1, 20)) as v
        from generate_series(1, ${rows}) n`);
    const table = (index: number) => `layout_${index}`;
    const written: number[] = [];
    const bytes: number[] = [];
    for (const [index, { columns, value }] of layouts.entries()) {
      await owner.unsafe(`create table ${table(index)} (id uuid primary key, ${columns})`);
      const start = performance.now();
      await owner.unsafe(`
        insert into ${table(index)}
        select lpad(to_hex(row_number() over ()), 32, '0')::uuid, ${value} from source`);
      written.push(performance.now() - start);
      await owner.unsafe(`vacuum analyze ${table(index)}`);
      const [size] = await owner<{ bytes: string }[]>`select pg_table_size(${table(index)}::regclass) as bytes`;
      bytes.push(Number(size?.bytes));
    }
    const read = (count: number) =>
      measure(
        layouts.map((layout, index) => ({
          name: layout.name,
          run: async () => {
            const sums = features.slice(0, count).map((n) => `sum(${layout.read(n)})`);
            await owner.unsafe(`select ${sums.join(', ')} from ${table(index)}`);
          },
        })),
        { rounds: 3, warmUp: 0 },
      );
    const [all, one] = [await read(20), await read(1)];
    printTable(
      `${rows} predictions with 20 numbers`,
      layouts.map(({ name }, index) => ({
        layout: name,
        'insert s': (written[index] ?? Number.NaN) / 1_000,
        MB: Math.round((bytes[index] ?? Number.NaN) / 1_000_000),
        'sum of all 20, s': (all[index]?.medianMs ?? Number.NaN) / 1_000,
        'of one, s': (one[index]?.medianMs ?? Number.NaN) / 1_000,
      })),
    );
  } finally {
    await owner.end();
    await database.end();
  }
}
