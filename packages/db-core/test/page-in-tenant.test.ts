import { failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineFilterFields, textField, timeField } from '../src/filter/filter-fields.ts';
import { connect, type Database, idempotencyKeys, type TenantTx, withTenant } from '../src/index.ts';
import { defineList } from '../src/paging/list.ts';
import { defineOrder } from '../src/paging/order.ts';
import type { PageInput } from '../src/paging/page-input.ts';
import { readPage } from '../src/paging/read-page.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 3 });
});
afterAll(async () => {
  await db.close();
});

const keys = idempotencyKeys;
const keyFields = defineFilterFields({
  scope: textField(keys.scope),
  key: textField(keys.key),
  expiresAt: timeField(keys.expiresAt),
});
const keyList = defineList({
  name: 'keys',
  from: keys,
  columns: { key: keys.key },
  order: defineOrder({
    fields: keyFields,
    byDefault: [{ field: 'key' }],
    tieBreaker: [textField(keys.scope), textField(keys.key)],
  }),
});

function listKeys(tx: TenantTx, input: PageInput & { readonly filter?: string; readonly orderBy?: string }) {
  return readPage(tx, keyList, input);
}

async function writeKeys(tenant: string, names: readonly string[]): Promise<void> {
  const expiresAt = new Date('2030-01-01T00:00:00.000Z');
  await withTenant(db, tenant, (tx) =>
    tx.insert(keys).values(names.map((key) => ({ scope: 's', key, requestDigest: 'd', expiresAt }))),
  );
}

describe('filters and pages inside a tenant', () => {
  it('show each tenant its own rows', async () => {
    const [a, b] = [freshTenant(), freshTenant()];
    await writeKeys(a, ['a1', 'a2', 'a3', 'x']);
    await writeKeys(b, ['b1', 'b2', 'a9']);
    const filter = "key LIKE 'a%' AND expires_at > '2029-12-31' AND scope IN ('s', 't')";
    const ofA = await withTenant(db, a, (tx) => listKeys(tx, { filter, orderBy: 'expires_at DESC', limit: 2 }));
    expect(ofA.items).toEqual([{ key: 'a3' }, { key: 'a2' }]);
    const rest = await withTenant(db, a, (tx) =>
      listKeys(tx, { filter, orderBy: 'expires_at DESC', cursor: ofA.nextCursor }),
    );
    expect(rest).toEqual({ items: [{ key: 'a1' }], nextCursor: undefined });
    const ofB = await withTenant(db, b, (tx) => listKeys(tx, { filter }));
    expect(ofB.items).toEqual([{ key: 'a9' }]);
  });

  it('refuse the cursor of another tenant as they refuse that of another query', async () => {
    const [a, b] = [freshTenant(), freshTenant()];
    await writeKeys(a, ['1', '2']);
    const { nextCursor } = await withTenant(db, a, (tx) => listKeys(tx, { limit: 1 }));
    const foreign = await failureOf(withTenant(db, b, (tx) => listKeys(tx, { limit: 1, cursor: nextCursor })));
    const other = await failureOf(
      withTenant(db, a, (tx) => listKeys(tx, { limit: 1, cursor: nextCursor, filter: "key = '1'" })),
    );
    expect(foreign).toMatchObject({ code: 'invalid_input', details: { field: 'cursor' } });
    expect(foreign).toEqual(other);
  });
});
