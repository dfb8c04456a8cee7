import { contextOf, type TenantTx } from '../context/tenant-tx.ts';
import type { FilterFields } from '../filter/filter-fields.ts';
import type { List } from './list.ts';
import { type Page, type PageRequest, planPage } from './plan-page.ts';

/**
 * Reads one page by keyset: no OFFSET, and no row skipped or repeated while others are inserted, as long as the values
 * that rows are ordered by do not change between pages. One statement, no lock.
 *
 * ```ts
 * const list = defineList({ name: 'things', from: things, columns: getTableColumns(things), order: thingOrder });
 * readPage(tx, list, { filter: "name = 'a'", limit: 10, within: { condition: eq(things.boxId, box), of: [box] } });
 * ```
 *
 * @throws DomainError `invalid_input` for filter and order with the place of what is wrong, for a limit out of range, and
 * for a cursor that is damaged, of another version, or of another tenant, list, filter or order.
 */
export async function readPage<Fields extends FilterFields, Item>(
  tx: TenantTx,
  list: List<Fields, Item>,
  request: PageRequest<Fields> = {},
): Promise<Page<Item>> {
  const { tenant, connection } = contextOf(tx);
  const { text, parameters, toPage } = planPage(list, tenant, request);
  return toPage(await connection.run(text, parameters, 'arrays'));
}
