import { exitCodes, MigrateError } from '../errors.ts';
import { isEmptyChange } from '../listing-change.ts';
import type { MigrationFile } from '../migrations-folder.ts';
import { formatCount } from '../output.ts';
import { splitSqlStatements } from '../sql-statements.ts';
import type { TableRows } from './count-rows.ts';
import type { ReplayedFile } from './rollback-dependents.ts';

/** A file of which the catalog shows nothing: it changed rows, which nobody can bring back. */
export function refuseWithoutChange(targets: readonly ReplayedFile[]): void {
  const empty = targets.filter(({ change }) => isEmptyChange(change)).map(({ file }) => file.file);
  if (empty.length === 0) return;
  throw new MigrateError(
    'nothing_to_take_back',
    `${empty.join(', ')} changed no table, index, function or right: rows at most, and db:rollback brings no rows back. Write what undoes it by hand: npm run db:generate -- --custom NAME.`,
  );
}

export function refuseLostRows(lost: readonly TableRows[]): void {
  if (lost.length === 0) return;
  const tables = lost.map(({ table, rows }) => `${table} (${formatCount(rows, 'row')})`).join(', ');
  throw new MigrateError(
    'needs_yes',
    `The rollback drops ${tables}, and nothing brings the rows back. Back them up, then say so with --yes; --dry-run shows the file.`,
    exitCodes.usage,
  );
}

/** In a file written by hand; a composed one changes none. */
export function changesRows(file: MigrationFile): boolean {
  if (file.composedFrom !== undefined || file.changes !== undefined) return false;
  return splitSqlStatements(file.sql).some(({ text }) => /^(insert|update|delete|merge|truncate)\b/i.test(text));
}

export function wayBackOf(targets: readonly ReplayedFile[]): string {
  const byHand = targets.filter(({ file }) => file.composedFrom === undefined && file.changes === undefined);
  const [first] = byHand;
  const composed =
    'npm run db:generate, then npm run db:migrate; what went comes back under a new number, without rows';
  if (first === undefined) return `The way back: ${composed}.`;
  const names = byHand.map(({ file }) => file.file).join(', ');
  const custom = `npm run db:generate -- --custom NAME, with the statements of ${names}`;
  return byHand.length === targets.length ? `The way back: ${custom}.` : `The way back: ${composed}; and ${custom}.`;
}
