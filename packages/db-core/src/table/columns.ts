import { type SQL, sql } from 'drizzle-orm';
import { jsonb, type PgColumn, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { TenantId } from '../context/tenant-id.ts';
import { type Id, newId } from '../value/ids.ts';

/** Millisecond precision, because that is what a JavaScript Date holds: what is written is what is read. */
export const timeColumn = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

/** A time that the row gets from `app_now()`: the context's clock, else the transaction's. */
export const createdAtColumn = (name = 'created_at') => timeColumn(name).notNull().default(sql`app_now()`);

/** As created_at, and renewed by each Drizzle update. Updates in `sql` set it themselves. */
export const updatedAtColumn = (name = 'updated_at') => createdAtColumn(name).$onUpdate(() => sql`app_now()`);

/** First in every table; filled from the context, so that an insert need not name it. */
export const tenantIdColumn = () =>
  text('tenant_id').notNull().default(sql`current_setting('app.tenant')`).$type<TenantId>();

/** uuid v7, made by the package; the database's default is for rows inserted by hand. */
export const idColumn = <Kind extends string>(name = 'id') =>
  uuid(name)
    .notNull()
    .default(sql`app_uuid_v7()`)
    .$defaultFn(() => newId())
    .$type<Id<Kind>>();

/**
 * The time that the v7 id of a row carries, the 48 bits of milliseconds that it begins with. For tables partitioned by the id,
 * whose constraint is carriesTime.
 */
export const idTimeColumn = (name: string) =>
  timeColumn(name)
    .notNull()
    // In SQL of its own, because generated columns know no table.
    .generatedAlwaysAs(
      sql`to_timestamp(('x' || encode(substring(uuid_send(id) from 1 for 6), 'hex'))::bit(48)::bigint / 1000::float8)`,
    );

/**
 * The condition that an id carries the time of its idTimeColumn: one of another version carries none. The years 2000 to 2099 bound how
 * many partitions a tenant can bring about.
 */
export const carriesTime = (id: PgColumn, time: PgColumn): SQL =>
  sql`get_byte(uuid_send(${id}), 6) >> 4 = 7 and ${time} >= '2000-01-01Z' and ${time} < '2100-01-01Z'`;

/** A reference to a row of another table; the foreign key stands among the table's constraints. */
export const referenceColumn = <Kind extends string>(name: string) => uuid(name).$type<Id<Kind>>();

/** Who did it: the context's actor, or null where none was named. */
export const actorColumn = (name = 'actor') => text(name).default(sql`nullif(current_setting('app.actor', true), '')`);

/** A state as text; its legal values are a check of the table (`constraint.oneOf`), not an enum type. */
export const stateColumn = <const States extends readonly [string, ...string[]]>(name: string, states: States) =>
  text(name, { enum: states as unknown as [States[number], ...States[number][]] });

export const jsonColumn = <Value>(name: string) => jsonb(name).$type<Value>();
