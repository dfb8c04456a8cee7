import { once } from 'node:events';
import { GrowthBookClient } from '@growthbook/growthbook';
import { connect, type Database, readOne, type TenantTx, tenantOf, withTenant } from '@mcp-hub/db-core';
import {
  abAssignments,
  assign,
  assignQuery,
  assignUnit,
  assignUnits,
  compileAssignment,
  createExperiment,
  type ExperimentDefinition,
  findAssignment,
  getExperiment,
  prepareAssignment,
  transitionExperiment,
} from '@mcp-hub/experiments';
import { and, eq, sql } from 'drizzle-orm';
import postgres from 'postgres';
import { type Measured, measure } from './measure.ts';
import { printTable } from './report.ts';
import { type BenchDatabase, startBenchDatabase } from './server.ts';

const tenant = 'bench';
const key = 'checkout';

/** What it takes to know a unit's variant: computed beside GrowthBook's SDK, stored one by one and in bulk. */
export async function benchExperimentsAssignment(): Promise<void> {
  const database = await startBenchDatabase();
  const db = await connect({ url: database.serviceUrl, max: 1 });
  try {
    const definition = await withTenant(db, tenant, async (tx) => {
      await createExperiment(tx, {
        ...{ key, hypothesis: 'h', variants: [{ key: 'a' }, { key: 'b' }, { key: 'c' }] },
        metrics: [{ key: 'bought', role: 'primary', kind: 'proportion' }],
      });
      await transitionExperiment(tx, { key, status: 'running' });
      return await getExperiment(tx, { key });
    });
    await benchPure(definition);
    await benchSingle(db);
    await benchBulk(database, db, definition);
  } finally {
    await db.close();
    await database.end();
  }
}

const unitsARound = 10_000;

async function benchPure(definition: ExperimentDefinition): Promise<void> {
  const units = Array.from({ length: unitsARound }, (_, n) => `visitor-${n * 7_919}`);
  const targeted: ExperimentDefinition = {
    ...definition,
    targeting: {
      attributes: { country: 'text', age: 'number' },
      filter: {
        and: [
          { field: 'country', op: 'in', value: ['DE', 'AT'] },
          { field: 'age', op: '>=', value: 18 },
        ],
      },
    },
  };
  const attributes = { country: 'AT', age: 44 };
  const { seed, hashVersion } = definition.allocation;
  const sdk = new GrowthBookClient({});
  const variations = definition.variants.map((variant) => variant.key) as [string, string, string];
  const theirs = { key, seed, hashVersion, variations, weights: [1 / 3, 1 / 3, 1 / 3] };
  const condition = { country: { $in: ['DE', 'AT'] }, age: { $gte: 18 } };
  const each = (work: (unit: string) => unknown) => async () => {
    for (const unit of units) work(unit);
  };
  const [compiled, compiledTargeted] = [compileAssignment(definition), compileAssignment(targeted)];
  const print = (title: string, measured: readonly Measured[]) =>
    printTable(
      title,
      measured.map(({ name, medianMs, ratio, aim }) => ({
        by: name,
        'ns a unit': Math.round((medianMs * 1e6) / unitsARound),
        'beside the SDK': ratio,
        aim,
      })),
    );
  const options = { rounds: 40, warmUp: 10 };
  print(
    'The variant of a unit, computed',
    await measure(
      [
        { name: "GrowthBook's SDK", run: each((id) => sdk.runInlineExperiment(theirs, { attributes: { id } })) },
        { name: 'compileAssignment', aim: '1', run: each((unit) => compiled.assignUnit(unit)) },
        { name: 'assignUnit', run: each((unit) => assignUnit(definition, unit)) },
      ],
      options,
    ),
  );
  print(
    'The same with a targeting of two attributes',
    await measure(
      [
        {
          name: "GrowthBook's SDK",
          run: each((id) => sdk.runInlineExperiment({ ...theirs, condition }, { attributes: { id, ...attributes } })),
        },
        { name: 'compileAssignment', aim: '1', run: each((unit) => compiledTargeted.assignUnit(unit, attributes)) },
      ],
      options,
    ),
  );
}

async function benchSingle(db: Database): Promise<void> {
  const known = Array.from({ length: 1_000 }, (_, n) => ({ unit: `known-${n}` }));
  const prepared = await withTenant(db, tenant, async (tx) => {
    await assignUnits(tx, { key, units: known });
    return await prepareAssignment(tx, { key });
  });
  const { id } = prepared.definition;
  let turn = 0;
  const anyKnown = () => known[turn++ % known.length]?.unit ?? '';
  const anyNew = () => `new-${turn++}`;
  const byKey = (tx: TenantTx) =>
    tx
      .select()
      .from(abAssignments)
      .where(
        and(
          eq(abAssignments.tenantId, tenantOf(tx)),
          eq(abAssignments.experimentId, id),
          eq(abAssignments.unit, anyKnown()),
        ),
      );
  const inTenant = (work: (tx: TenantTx) => Promise<unknown>) => () => withTenant(db, tenant, work);
  const measured = await measure(
    [
      { name: 'a read by primary key', run: inTenant(async (tx) => await byKey(tx)) },
      { name: 'assign, known', aim: '1.5', run: inTenant((tx) => assign(tx, { key, unit: anyKnown() })) },
      { name: 'assign, new', run: inTenant((tx) => assign(tx, { key, unit: anyNew() })) },
      { name: 'assign, known, prepared', run: inTenant((tx) => assign(tx, { prepared, unit: anyKnown() })) },
      { name: 'assign, new, prepared', run: inTenant((tx) => assign(tx, { prepared, unit: anyNew() })) },
      { name: 'readOne: by primary key', run: () => readOne(db, tenant, byKey) },
      {
        name: 'readOne: findAssignment',
        run: () => readOne(db, tenant, (tx) => findAssignment(tx, { key, unit: anyKnown() })),
      },
    ],
    { rounds: 400, warmUp: 50 },
  );
  printTable(
    'The variant of a unit, stored',
    measured.map(({ name, medianMs, p95Ms, ratio, aim }) => ({
      ...{ 'in a transaction': name, 'median ms': medianMs, 'p95 ms': p95Ms, 'beside the first': ratio, aim },
    })),
  );
}

const rounds = 5;
const bulk = 100_000;

async function benchBulk({ adminUrl }: BenchDatabase, db: Database, definition: ExperimentDefinition): Promise<void> {
  if (adminUrl === undefined) throw new Error('The bench needs a superuser beside the service.');
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  const { assignUnit: find } = compileAssignment(definition);
  const query = (prefix: string) => async (tx: TenantTx) => {
    const rows = tx
      .select({ unit: sql<string>`${prefix}::text || n`.as('unit') })
      .from(sql`generate_series(0, ${bulk - 1}::int) n`)
      .as('rows');
    await assignQuery(tx, { key, rows, columns: { unit: rows.unit } });
  };
  const ways: Readonly<Record<string, (prefix: string) => Promise<unknown>>> = {
    'COPY by a superuser, computed': (prefix) =>
      copyAsSuperuser(
        admin,
        Array.from({ length: bulk }, (_, n) => [`${prefix}${n}`, find(`${prefix}${n}`).variantId ?? ''] as const),
        definition.id,
      ),
    'assignUnits, 10,000 a call': async (prefix) => {
      for (let from = 0; from < bulk; from += unitsARound) {
        const units = Array.from({ length: unitsARound }, (_, n) => ({ unit: `${prefix}${from + n}` }));
        await withTenant(db, tenant, (tx) => assignUnits(tx, { key, units }));
      }
    },
    assignQuery: (prefix) => withTenant(db, tenant, query(prefix)),
    'assignQuery, all known': () => withTenant(db, tenant, query('warm-')),
  };
  await withTenant(db, tenant, query('warm-'));
  const totals = new Map(Object.keys(ways).map((name) => [name, 0]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, [name, way]] of Object.entries(ways).entries()) {
      const start = performance.now();
      await way(`unit-${round}-${at}-`);
      totals.set(name, (totals.get(name) ?? 0) + performance.now() - start);
    }
  }
  await admin.end();
  const [reference = Number.NaN] = totals.values();
  printTable(
    `${rounds * bulk} units assigned, ${bulk} by turns, one client`,
    [...totals].map(([way, ms]) => ({
      way,
      'units a second': Math.round((rounds * bulk * 1_000) / ms),
      'beside COPY': ms / reference,
    })),
  );
}

/** What the fastest way in costs: COPY into the table itself, past row level security, which only a superuser may. */
async function copyAsSuperuser(
  admin: postgres.Sql,
  units: readonly (readonly [unit: string, variantId: string])[],
  experimentId: string,
): Promise<void> {
  const sink =
    await admin`copy ab_assignments (tenant_id, experiment_id, unit, variant_id, epoch) from stdin`.writable();
  let chunk = '';
  for (const [unit, variantId] of units) {
    chunk += `${tenant}\t${experimentId}\t${unit}\t${variantId}\t1\n`;
    if (chunk.length < 65_536) continue;
    if (!sink.write(chunk)) await once(sink, 'drain');
    chunk = '';
  }
  sink.end(chunk);
  await once(sink, 'finish');
}
