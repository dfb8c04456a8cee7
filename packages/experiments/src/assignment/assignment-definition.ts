import type { Id } from '@mcp-hub/db-core';
import type { ExperimentAllocation, ExperimentHoldout, ExperimentLayer } from '../design/get-experiment.ts';
import type { ExperimentStatus } from '../design/schema.ts';
import type { Targeting } from '../design/targeting.ts';

/** All that a unit's variant follows from. An ExperimentDefinition is one. */
export interface AssignmentDefinition {
  readonly status: ExperimentStatus;
  readonly allocation: Pick<ExperimentAllocation, 'epoch' | 'seed' | 'hashVersion' | 'ranges'>;
  readonly layer: Pick<ExperimentLayer, 'seed' | 'start' | 'end'> | null;
  readonly holdouts: readonly Pick<ExperimentHoldout, 'seed' | 'share'>[];
  readonly targeting: Targeting | null;
}

/** What a targeting may ask of a unit. What is missing, null or of another kind than declared is unknown. */
export type UnitAttributes = Readonly<Record<string, string | number | boolean | Date | null | undefined>>;

/** Why a unit has no variant. */
export const unassignedReasons = ['not_running', 'holdout', 'layer', 'targeting', 'coverage'] as const;
export type UnassignedReason = (typeof unassignedReasons)[number];

/** What the hash says of a unit. */
export type UnitAssignment =
  | { readonly variantId: Id<'Variant'>; readonly reason: 'assigned' }
  | { readonly variantId: null; readonly reason: UnassignedReason };
