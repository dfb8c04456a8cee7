import type { Id } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { abVariants } from '../design/schema.ts';
import type { UnassignedReason } from './assignment-definition.ts';
import type { StoredDefinition } from './read-definition.ts';
import { abAssignments } from './schema.ts';

/** A unit that has a variant, for good. */
export interface StoredAssignment {
  readonly unit: string;
  readonly variantId: Id<'Variant'>;
  readonly variantKey: string;
  /** `forced` was chosen by hand and stays out of analysis. */
  readonly reason: 'assigned' | 'forced';
  /** The allocation that held when the unit was assigned. */
  readonly epoch: number;
  readonly assignedAt: Date;
}

/** A unit that has none, and why. Nothing is stored of it: what changes may let it in. */
export interface Unassigned {
  readonly unit: string;
  readonly variantId: null;
  readonly variantKey: null;
  readonly reason: UnassignedReason;
  /** The allocation that holds. */
  readonly epoch: number;
  readonly assignedAt: null;
}

/** `isNew` where this call has assigned it. */
export type Assignment = (StoredAssignment & { readonly isNew: boolean }) | (Unassigned & { readonly isNew: false });

export interface StoredRow extends Record<string, unknown> {
  readonly unit: string;
  readonly variant_id: Id<'Variant'>;
  readonly variant_key: string;
  readonly epoch: number;
  readonly forced: boolean;
  readonly assigned_ms: number;
}

/** The columns of a StoredRow. */
export const storedColumns = sql`
  a.unit, a.variant_id, v.key as variant_key, a.epoch, a.forced,
  (extract(epoch from a.assigned_at) * 1000)::float8 as assigned_ms`;

/** Where they are, as an item of FROM. */
export const storedFrom: SQL = sql`
  ${abAssignments} a join ${abVariants} v on v.tenant_id = a.tenant_id and v.id = a.variant_id`;

export function toStored(row: StoredRow): StoredAssignment {
  return {
    unit: row.unit,
    variantId: row.variant_id,
    variantKey: row.variant_key,
    reason: row.forced ? 'forced' : 'assigned',
    epoch: row.epoch,
    assignedAt: new Date(row.assigned_ms),
  };
}

export function toUnassigned(definition: StoredDefinition, unit: string, reason: UnassignedReason): Assignment {
  const { epoch } = definition.allocation;
  return { unit, variantId: null, variantKey: null, reason, epoch, assignedAt: null, isNew: false };
}

export function toAssigned(
  { allocation, variants }: StoredDefinition,
  {
    unit,
    variantId,
    assignedMs,
  }: { readonly unit: string; readonly variantId: Id<'Variant'>; readonly assignedMs: number },
): StoredAssignment & { readonly isNew: true } {
  const variantKey = variants.find(({ id }) => id === variantId)?.key ?? '';
  const assignedAt = new Date(assignedMs);
  return { unit, variantId, variantKey, reason: 'assigned', epoch: allocation.epoch, assignedAt, isNew: true };
}
