import { matchesFilter, readFilter } from '@mcp-hub/db-core';
import { type HashVersion, StatsError, unitHasher } from '@mcp-hub/stats';
import { type Targeting, targetingFields } from '../design/targeting.ts';
import type {
  AssignmentDefinition,
  UnassignedReason,
  UnitAssignment,
  UnitAttributes,
} from './assignment-definition.ts';
import { refuseUnit, unstorableUnit } from './unit-inputs.ts';

/** A definition with what is the same for all units prepared once. */
export interface CompiledAssignment<Definition extends AssignmentDefinition = AssignmentDefinition> {
  readonly definition: Definition;
  /** As assignUnit. */
  readonly assignUnit: (unit: string, attributes?: UnitAttributes) => UnitAssignment;
}

/**
 * The variant of a unit, which follows from the definition, the unit and its attributes alone. No database, and the same on
 * each machine and in each of GrowthBook's JavaScript SDKs, as long as the allocation is `sdkCompatible`.
 *
 * Looked at in this order, GrowthBook's, where its holdouts are filters with a seed of their own: whether the experiment
 * runs, holdouts, layer, targeting, ranges. A targeting that is unknown for want of an attribute does not let the unit pass.
 *
 * @throws DomainError `invalid_input` for a unit that is empty, longer than 256 UTF-16 code units or holds NUL or half a
 *   surrogate pair, which PostgreSQL could not store; for text and times among the attributes that are none.
 */
export function assignUnit(
  definition: AssignmentDefinition,
  unit: string,
  attributes?: UnitAttributes,
): UnitAssignment {
  return compileAssignment(definition).assignUnit(unit, attributes);
}

/** Prepares assignUnit for many units of one definition, which must not change. */
export function compileAssignment<Definition extends AssignmentDefinition>(
  definition: Definition,
): CompiledAssignment<Definition> {
  const { allocation, layer, holdouts, targeting, status } = definition;
  const placeOf = hasherOf(allocation.seed, allocation.hashVersion);
  // GrowthBook's: hashUnit of stats puts the same before the name of a namespace.
  const layerPlaceOf = layer === null ? undefined : hasherOf(`__${layer.seed}`, 1);
  const heldOut = holdouts.map(({ seed, share }) => ({ placeOf: hasherOf(seed, 2), share }));
  const isTargeted = targeting === null ? undefined : targetingTest(targeting);
  const ranges = allocation.ranges.map(({ variantId, start, end }) => {
    return { start, end, assigned: Object.freeze({ variantId, reason: 'assigned' as const }) };
  });

  const find = (unit: string, attributes: UnitAttributes): UnitAssignment => {
    // First, so that a unit is refused whatever it would have come to.
    const place = placeOf(unit);
    if (status !== 'running') return unassigned.not_running;
    for (const holdout of heldOut) if (holdout.placeOf(unit) < holdout.share) return unassigned.holdout;
    if (layer !== null && layerPlaceOf !== undefined) {
      const inLayer = layerPlaceOf(unit);
      if (!(inLayer >= layer.start && inLayer < layer.end)) return unassigned.layer;
    }
    if (isTargeted !== undefined && !isTargeted(attributes)) return unassigned.targeting;
    for (const { start, end, assigned } of ranges) if (place >= start && place < end) return assigned;
    return unassigned.coverage;
  };
  return {
    definition,
    assignUnit: (unit, attributes = noAttributes) => {
      const refused = refuseUnit(unit);
      if (refused !== undefined) throw refused;
      try {
        return find(unit, attributes);
      } catch (error) {
        if (error instanceof StatsError) throw unstorableUnit();
        throw error;
      }
    },
  };
}

const noAttributes: UnitAttributes = {};

const because = <Reason extends UnassignedReason>(reason: Reason) => Object.freeze({ variantId: null, reason });
const unassigned = {
  not_running: because('not_running'),
  holdout: because('holdout'),
  layer: because('layer'),
  targeting: because('targeting'),
  coverage: because('coverage'),
};

const hasherOf = (seed: string, version: number) => unitHasher({ seed, version: version as HashVersion });

/** Whether attributes fulfil a targeting for certain. */
function targetingTest({ attributes, filter }: Targeting): (given: UnitAttributes) => boolean {
  const fields = targetingFields(attributes);
  const checked = readFilter(fields, filter as Parameters<typeof readFilter>[1]);
  const declared = Object.entries(attributes);
  return (given) => {
    const values: Record<string, UnitAttributes[string]> = {};
    for (const [name, kind] of declared) {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      // As targetingFields: what is of another type counts as missing.
      if (isOf[kind](value)) values[name] = value;
    }
    return matchesFilter(fields, checked, values) === true;
  };
}

const isOf = {
  text: (value: unknown) => typeof value === 'string',
  number: (value: unknown) => typeof value === 'number',
  boolean: (value: unknown) => typeof value === 'boolean',
  time: (value: unknown) => typeof value === 'string' || value instanceof Date,
};
