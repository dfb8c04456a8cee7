import { MigrateError } from '../errors.ts';

/** One statement of drizzle-kit, told apart by its beginning; kit writes each kind in one form. */
export type KitStatement =
  | { readonly kind: 'create table'; readonly table: string; readonly sql: string }
  | { readonly kind: 'drop table'; readonly table: string; readonly sql: string }
  | {
      readonly kind: 'foreign key';
      readonly table: string;
      readonly parent: string;
      readonly constraint: string;
      readonly sql: string;
    }
  | {
      readonly kind: 'index';
      readonly table: string;
      readonly index: string;
      readonly concurrently: boolean;
      readonly sql: string;
    }
  | { readonly kind: 'enable'; readonly table: string; readonly sql: string }
  | { readonly kind: 'disable'; readonly table: string; readonly sql: string }
  | { readonly kind: 'policy'; readonly table: string; readonly sql: string }
  | { readonly kind: 'drop policy'; readonly table: string; readonly policy: string; readonly sql: string }
  | { readonly kind: 'other'; readonly table: string | undefined; readonly sql: string };

const name = '"((?:[^"]|"")+)"';
const forms = {
  createTable: new RegExp(`^CREATE TABLE ${name} \\(\\n`),
  dropTable: new RegExp(`^DROP TABLE ${name}( CASCADE)?;$`),
  foreignKey: new RegExp(
    `^ALTER TABLE ${name} ADD CONSTRAINT ${name} FOREIGN KEY [\\s\\S]*? REFERENCES "public"\\.${name}\\(`,
  ),
  index: new RegExp(`^CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?${name} ON ${name} `),
  enable: new RegExp(`^ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY;$`),
  disable: new RegExp(`^ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY;$`),
  policy: new RegExp(`^(?:CREATE|ALTER) POLICY ${name} ON ${name} `),
  dropPolicy: new RegExp(`^DROP POLICY ${name} ON ${name}( CASCADE)?;$`),
  alterTable: new RegExp(`^ALTER TABLE ${name} `),
} as const;

export function parseKitStatement(sql: string): KitStatement {
  const create = forms.createTable.exec(sql);
  if (create) return { kind: 'create table', table: text(create, 1), sql };
  const drop = forms.dropTable.exec(sql);
  if (drop) return { kind: 'drop table', table: text(drop, 1), sql };
  const key = forms.foreignKey.exec(sql);
  if (key) return { kind: 'foreign key', table: text(key, 1), constraint: text(key, 2), parent: text(key, 3), sql };
  const index = forms.index.exec(sql);
  if (index) {
    return { kind: 'index', concurrently: index[1] !== undefined, index: text(index, 2), table: text(index, 3), sql };
  }
  const enable = forms.enable.exec(sql);
  if (enable) return { kind: 'enable', table: text(enable, 1), sql };
  const disable = forms.disable.exec(sql);
  if (disable) return { kind: 'disable', table: text(disable, 1), sql };
  const policy = forms.policy.exec(sql);
  if (policy) return { kind: 'policy', table: text(policy, 2), sql };
  const dropPolicy = forms.dropPolicy.exec(sql);
  if (dropPolicy) return { kind: 'drop policy', policy: text(dropPolicy, 1), table: text(dropPolicy, 2), sql };
  return { kind: 'other', table: forms.alterTable.exec(sql)?.[1], sql };
}

function text(match: RegExpExecArray, group: number): string {
  const value = match[group];
  if (value === undefined)
    throw new MigrateError('unreadable_kit_sql', `drizzle-kit wrote a statement of an unknown form: ${match[0]}`);
  return value.replaceAll('""', '"');
}
