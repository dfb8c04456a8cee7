import { sql } from 'drizzle-orm';
import { customType } from 'drizzle-orm/pg-core';

export const xid8 = customType<{ data: string; driverData: string }>({ dataType: () => 'xid8' });

/**
 * The transaction that wrote what an analysis reads of the row. A refresh that remembers the oldest transaction that was
 * open when it looked finds by it all that it has not seen, whenever that commits: many may look, and nothing is marked.
 */
export const writtenByColumn = () => xid8('written_by').notNull().default(sql`pg_current_xact_id()`);
