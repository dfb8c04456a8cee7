import * as drizzle from 'drizzle-orm';
import { type Column, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { rowMapper, type SelectedField } from '../src/context/row-mapper.ts';
import { outboxEvents, tenantWork } from '../src/schema.ts';

/** Drizzle exports it, and leaves it out of its types. */
const { mapResultRow } = drizzle as unknown as {
  readonly mapResultRow: (fields: readonly SelectedField[], row: readonly unknown[], joins: unknown) => unknown;
};

const columns: readonly (readonly [name: string, column: Column, value: unknown])[] = [
  ['tenantId', tenantWork.tenantId, 'acme'],
  ['dueAt', tenantWork.dueAt, '2026-01-01 00:00:00.123+00'],
  ['token', tenantWork.fencingToken, '12'],
  ['dead', tenantWork.deadAt, null],
];
const expression = sql`1`.mapWith((value: string) => Number(value) + 1);
const fieldsUnder = (path: readonly string[]) => columns.map(([name, field]) => ({ path: [...path, name], field }));

it.each([
  ['a flat row', [], undefined],
  ['a row of one table', [], { tenant_work: true }],
  ['a nested row', ['item'], { tenant_work: true }],
] as const)('%s is mapped as Drizzle maps it', (_, path, joins) => {
  const fields = [
    ...fieldsUnder(path),
    { path: ['key'], field: expression },
    { path: ['named'], field: expression.as('named') },
  ];
  const row = [...columns.map(([, , value]) => value), '41', '42'];
  const rows = [row, row.map(() => null), row];
  const expected = rows.map((values) => mapResultRow(fields, values, joins));
  expect(rowMapper(fields, joins)?.(rows)).toStrictEqual(expected);
});

it('leaves a joined table that may be missing to Drizzle', () => {
  const fields = [...fieldsUnder(['work']), { path: ['event', 'id'], field: outboxEvents.id }];
  expect(rowMapper(fields, { tenant_work: true, outbox_events: false })).toBeUndefined();
  expect(rowMapper(fields, { tenant_work: true, outbox_events: true })).toBeDefined();
});
