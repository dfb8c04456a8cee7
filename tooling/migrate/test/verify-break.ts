/** One way to break one rule. */
export interface Break {
  readonly rule: string;
  /** Reads after "a database where …". */
  readonly what: string;
  /** Run as the owner, in a transaction that is rolled back. */
  readonly sql?: string;
  /** Run before, as a superuser: what an owner cannot break. */
  readonly adminSql?: string;
  /** Run on a copy of the folder. */
  readonly folder?: (directory: string) => Promise<void>;
  /** Part of the object that has to be named. */
  readonly object: string;
  /** The other rules that this breaks too, but schema-listing, which sees nearly all. */
  readonly also?: readonly string[];
  /** PostgreSQL majors from this one on have what it takes. */
  readonly since?: number;
  /** It breaks the rule on PostgreSQL majors before this one, and on these only. */
  readonly before?: number;
}

export const ownRows = `tenant_id = (select nullif(current_setting('app.tenant', true), ''))`;

/** A further table that keeps all rules, but for what `columns`, `keys` and `then` change. */
export function table(
  o: {
    readonly columns?: string;
    readonly keys?: string;
    /** Columns of its primary key; '' for none. */
    readonly primaryKey?: string;
    readonly grants?: string;
    readonly then?: string;
  } = {},
): string {
  const primaryKey = o.primaryKey ?? (o.columns === undefined ? 'tenant_id, id' : 'tenant_id');
  const keys = [...(primaryKey === '' ? [] : [`constraint odd_pk primary key (${primaryKey})`]), o.keys ?? []].flat();
  const columns =
    o.columns ??
    `tenant_id text not null default current_setting('app.tenant') constraint odd_tenant_id_check check (tenant_id <> ''), id uuid not null default app_uuid_v7(), other_id uuid`;
  return `
create table odd (${[columns, ...keys].join(', ')});
alter table odd enable row level security;
alter table odd force row level security;
create policy odd_tenant_policy on odd for all to public using (${ownRows}) with check (${ownRows});
${o.grants ?? 'grant select, insert, update, delete on odd to app_tenant; grant select on odd to app_readonly;'}
${o.then ?? ''}`;
}
