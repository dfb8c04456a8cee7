import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { QueryBuilder } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';
import { abOutcomes, recordExposuresFrom, recordOutcomesFrom } from '../../src/index.ts';
import { insertExperiment } from '../support/insert-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();
const now = new Date('2026-05-04T12:00:00Z');

/** Rows as a service would select them from its predictions. */
const served = (rows: readonly (readonly [unit: string, variant: string, minute: number])[]) =>
  new QueryBuilder()
    .select({
      unit: sql<string>`unit`.as('unit'),
      variant: sql<string>`variant`.as('variant'),
      at: sql<Date>`at`.as('at'),
      value: sql<number>`2`.as('value'),
    })
    .from(
      sql`(values ${sql.join(
        rows.map(
          ([unit, variant, minute]) =>
            sql`(${unit}::text, ${variant}::text, ${`2026-05-04T11:${minute}:00Z`}::text::timestamptz)`,
        ),
        sql`, `,
      )}) as served (unit, variant, at)`,
    )
    .as('rows');

describe('recordExposuresFrom', () => {
  it('takes exposures from a query, variants by key or id, once with a key', async () => {
    await experiments.run(
      freshTenant(),
      async (tx) => {
        const { variants } = await insertExperiment(tx, 'e');
        const rows = served([
          ['u', 'a', 10],
          ['u', 'a', 20],
          ['v', variants['b'] ?? '', 30],
        ]);
        for (let n = 0; n < 2; n += 1) {
          const recorded = await recordExposuresFrom(tx, { experiment: 'e', rows, idempotencyKey: 'one' });
          expect(recorded).toEqual({ recorded: 3, newUnits: 2 });
        }
        const found = await tx.execute(sql`select unit, count, first_at::text from ab_exposures order by unit`);
        expect(found).toMatchObject([
          { unit: 'u', count: 2, first_at: '2026-05-04 11:10:00+00' },
          { unit: 'v', count: 1 },
        ]);
      },
      { now },
    );
  });

  it('records none where a row names no variant, and says which field is missing', async () => {
    await experiments.run(
      freshTenant(),
      async (tx) => {
        await insertExperiment(tx, 'e');
        const unknown = recordExposuresFrom(tx, {
          experiment: 'e',
          rows: served([
            ['u', 'a', 10],
            ['v', 'none', 10],
          ]),
        });
        expect(await failureOf(unknown)).toMatchObject({ code: 'not_found', details: { field: 'rows.variant' } });
        expect(await tx.execute(sql`select from ab_exposures`)).toHaveLength(0);
        const rows = new QueryBuilder()
          .select({ unit: sql<string>`'u'`.as('unit') })
          .from(sql`(values (1)) v (n)`)
          .as('rows');
        expect(await failureOf(recordExposuresFrom(tx, { experiment: 'e', rows }))).toMatchObject({
          code: 'invalid_input',
          details: { field: 'rows.variant' },
        });
        expect(await failureOf(recordExposuresFrom(tx, { experiment: 'none', rows }))).toMatchObject({
          code: 'not_found',
        });
      },
      { now },
    );
  });
});

describe('recordOutcomesFrom', () => {
  it('gives a row the same id each time, which carries its time', async () => {
    await experiments.run(
      freshTenant(),
      async (tx) => {
        const rows = served([
          ['u', 'a', 10],
          ['v', 'a', 10],
        ]);
        expect(await recordOutcomesFrom(tx, { outcome: 'late', rows })).toEqual({ recorded: 2, repeated: 0 });
        expect(await recordOutcomesFrom(tx, { outcome: 'late', rows })).toEqual({ recorded: 0, repeated: 2 });
        expect(await recordOutcomesFrom(tx, { outcome: 'other', rows })).toEqual({ recorded: 2, repeated: 0 });
        const found = await tx.select().from(abOutcomes);
        expect(new Set(found.map(({ id }) => id)).size).toBe(4);
        expect(
          found.every(
            ({ occurredAt, value }) => occurredAt.toISOString() === '2026-05-04T11:10:00.000Z' && value === 2,
          ),
        ).toBe(true);
        await tx.execute(sql`update ab_outcomes set value = 3 where unit = 'u'`);
        expect(await failureOf(recordOutcomesFrom(tx, { outcome: 'late', rows }))).toMatchObject({ code: 'conflict' });
      },
      { now },
    );
  });
});
