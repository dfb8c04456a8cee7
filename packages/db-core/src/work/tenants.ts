import { eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { asDispatcher } from '../context/as-dispatcher.ts';
import type { Database } from '../context/database.ts';
import { tenantOf } from '../context/tenant-tx.ts';
import { readOne, withTenant } from '../context/with-tenant.ts';
import { DomainError } from '../errors.ts';
import { defineFilterFields, textField } from '../filter/filter-fields.ts';
import { TENANT_DISPLAY_NAME_MAX_LENGTH } from '../limits.ts';
import { defineList } from '../paging/list.ts';
import { defineOrder } from '../paging/order.ts';
import { PageInput } from '../paging/page-input.ts';
import { type Page, planPage } from '../paging/plan-page.ts';
import { tenantStatuses, tenants } from '../schema.ts';
import { nameInput, parseInput } from '../value/parse-input.ts';

export type Tenant = typeof tenants.$inferSelect;

/** A tenant id is checked by the context that it opens. */
export const CreateTenantInput = z.strictObject({
  tenant: z.string(),
  displayName: nameInput(TENANT_DISPLAY_NAME_MAX_LENGTH).optional(),
});
export type CreateTenantInput = Readonly<z.input<typeof CreateTenantInput>>;

export const SetTenantStatusInput = z.strictObject({ tenant: z.string(), status: z.enum(tenantStatuses) });
export type SetTenantStatusInput = Readonly<z.input<typeof SetTenantStatusInput>>;

/** Writes a tenant's row. Contexts need none: it is for lists, names and status. @throws DomainError `already_exists`. */
export async function createTenant(db: Database, input: CreateTenantInput): Promise<Tenant> {
  const { tenant, displayName } = parseInput(CreateTenantInput, input);
  const rows = await withTenant(db, tenant, (tx) =>
    tx
      .insert(tenants)
      .values({ tenantId: tenantOf(tx), displayName: displayName ?? null })
      .onConflictDoNothing()
      .returning(),
  );
  const [created] = rows;
  if (created !== undefined) return created;
  throw new DomainError('already_exists', 'A tenant with this id was created before.');
}

/** @throws DomainError `not_found` where it was never created. */
export async function getTenant(db: Database, tenant: string): Promise<Tenant> {
  return (await findTenant(db, tenant)) ?? notFound();
}

export async function findTenant(db: Database, tenant: string): Promise<Tenant | undefined> {
  const rows = await readOne(db, tenant, (tx) =>
    tx
      .select()
      .from(tenants)
      .where(eq(tenants.tenantId, tenantOf(tx))),
  );
  return rows[0];
}

/**
 * Sets whether the dispatcher serves a tenant: work of one that is suspended or archived waits. Its own calls are not
 * refused. @throws DomainError `not_found`.
 */
export async function setTenantStatus(db: Database, input: SetTenantStatusInput): Promise<Tenant> {
  const { tenant, status } = parseInput(SetTenantStatusInput, input);
  const rows = await withTenant(db, tenant, (tx) =>
    tx
      .update(tenants)
      .set({ status })
      .where(eq(tenants.tenantId, tenantOf(tx)))
      .returning(),
  );
  return rows[0] ?? notFound();
}

function notFound(): never {
  throw new DomainError('not_found', 'No tenant with this id was created.');
}

const tenantList = defineList({
  name: 'tenants',
  from: tenants,
  columns: getTableColumns(tenants),
  order: defineOrder({
    fields: defineFilterFields({ tenantId: textField(tenants.tenantId) }),
    byDefault: [{ field: 'tenantId' }],
    tieBreaker: textField(tenants.tenantId),
  }),
});

/**
 * All tenants that were created, by id: for operators. It looks as app_dispatcher, the one role that may.
 *
 * @throws DomainError `permission_denied` where the login is no member of app_dispatcher.
 */
export async function listTenants(db: Database, input: PageInput = {}): Promise<Page<Tenant>> {
  const { text, parameters, toPage } = planPage(tenantList, undefined, parseInput(PageInput, input));
  return toPage(await asDispatcher(db, text, parameters, 'arrays'));
}
