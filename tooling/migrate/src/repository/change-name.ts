import type { KitStatement } from './kit-statement.ts';
import { parseKitStatement } from './kit-statement.ts';

/** The `<what>` of `NNN_<domain>_<what>.sql` when nobody gave one: what the one statement does, or the one table it is about. */
export function describeChange(statements: readonly string[]): string {
  const parsed = statements
    .map(parseKitStatement)
    .filter(({ sql }) => !/ROW LEVEL SECURITY;$|^(GRANT|REVOKE|COMMENT|DO|DROP INDEX CONCURRENTLY) /.test(sql));
  const [first] = parsed;
  if (first === undefined) return 'rights';
  const described = new Set(parsed.map(describeStatement));
  const tables = new Set(parsed.map(({ table }) => table));
  const [only] = described;
  if (described.size === 1 && only !== undefined) return toName(only);
  return toName(tables.size === 1 && first.table !== undefined ? `change_${first.table}` : 'changes');
}

function describeStatement(statement: KitStatement): string {
  switch (statement.kind) {
    case 'create table':
      return `create_${statement.table}`;
    case 'drop table':
      return `drop_${statement.table}`;
    case 'index':
      return `add_${statement.index}`;
    case 'foreign key':
      return `add_${statement.constraint}`;
    case 'policy':
      return `change_${statement.table}_policy`;
    default: {
      const match = /(ADD|DROP|RENAME) (COLUMN|CONSTRAINT) "([^"]+)"/.exec(statement.sql);
      if (match?.[1] === undefined) return `change_${statement.table ?? 'schema'}`;
      return match[2] === 'COLUMN'
        ? `${match[1]}_${statement.table ?? ''}_${match[3] ?? ''}`
        : `${match[1]}_${match[3] ?? ''}`;
    }
  }
}

function toName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 60);
}
