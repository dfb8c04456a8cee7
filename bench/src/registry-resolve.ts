import { type Database, readOne, type TenantTx, tenantOf, withTenant } from '@mcp-hub/db-core';
import { modelRegistry, resolveModel } from '@mcp-hub/registry';
import { and, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { type Case, measure } from './measure.ts';
import { registryShape } from './registry-data.ts';
import { printTable } from './report.ts';

const { tenant, models } = registryShape;

/** `model@champion` beside a read by primary key, in the tenant and in stock Drizzle without tenancy. */
export async function benchResolve(db: Database, serviceUrl: string): Promise<void> {
  const client = postgres(serviceUrl, { max: 1, connection: { search_path: 'bare' } });
  const stock = drizzle(client);
  const ids = await readOne(db, tenant, (tx) =>
    tx
      .select({ id: modelRegistry.id })
      .from(modelRegistry)
      .where(eq(modelRegistry.tenantId, tenantOf(tx)))
      .limit(models),
  );
  let turn = 0;
  const next = () => {
    turn = (turn + 1) % models;
    return turn;
  };
  const idAt = (index: number) => ids[index]?.id ?? '';
  const byKey = (tx: TenantTx) =>
    tx
      .select()
      .from(modelRegistry)
      .where(and(eq(modelRegistry.tenantId, tenantOf(tx)), eq(modelRegistry.id, idAt(next()) as never)));
  const reference = () => `model ${next() + 1}`;
  const cases: readonly Case[] = [
    { name: 'primary key, readOne (reference)', run: () => readOne(db, tenant, byKey) },
    {
      name: 'model@alias, readOne',
      aim: '1.3',
      run: () => readOne(db, tenant, (tx) => resolveModel(tx, `${reference()}@champion`)),
    },
    { name: 'model/version, readOne', run: () => readOne(db, tenant, (tx) => resolveModel(tx, `${reference()}/50`)) },
    {
      name: 'model:stage, readOne',
      run: () => readOne(db, tenant, (tx) => resolveModel(tx, `${reference()}:production`)),
    },
    { name: 'primary key, withTenant', run: () => withTenant(db, tenant, byKey) },
    {
      name: 'model@alias, withTenant',
      run: () => withTenant(db, tenant, (tx) => resolveModel(tx, `${reference()}@champion`)),
    },
    {
      name: 'primary key, stock Drizzle, no tenancy',
      run: () =>
        stock
          .select()
          .from(modelRegistry)
          .where(and(eq(modelRegistry.tenantId, tenant as never), eq(modelRegistry.id, idAt(next()) as never))),
    },
  ];
  const measured = await measure(cases, { rounds: 2_000, warmUp: 200 });
  const bare = measured.at(-1)?.medianMs ?? Number.NaN;
  printTable(
    'Resolving a model, on loopback',
    measured.map((row) => ({
      read: row.name,
      'median ms': row.medianMs,
      'p95 ms': row.p95Ms,
      ratio: row.ratio,
      aim: row.aim,
      'beside stock': row.medianMs / bare,
    })),
  );
  await client.end();
}
