import { MigrateError } from '../errors.ts';
import type { KitStatement } from './kit-statement.ts';

type CreateTable = Extract<KitStatement, { kind: 'create table' }>;
type ForeignKey = Extract<KitStatement, { kind: 'foreign key' }>;

/**
 * Writes foreign keys into CREATE TABLE, where they are not validated. Added later they are validated by a query under
 * row level security: with row_security on it sees no row (orphans pass), with it off it is refused.
 */
export function foldForeignKeys(create: CreateTable, keys: readonly ForeignKey[]): string {
  if (keys.length === 0) return create.sql;
  const end = /\n\);$/;
  if (!end.test(create.sql)) {
    throw new MigrateError('unreadable_kit_sql', `drizzle-kit wrote CREATE TABLE ${create.table} in an unknown form.`);
  }
  const lines = keys.map((key) => `,\n\t${key.sql.replace(/^ALTER TABLE "(?:[^"]|"")+" ADD /, '').replace(/;$/, '')}`);
  return create.sql.replace(end, () => `${lines.join('')}\n);`);
}
