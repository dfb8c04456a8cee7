import { type BucketRange, isInRange } from './bucket-ranges.ts';
import { hashUnit } from './hash-unit.ts';

/** Experiments of one namespace that take ranges apart share no unit. */
export interface Namespace {
  readonly name: string;
  readonly range: BucketRange;
}

/** The place of a unit in a namespace, by GrowthBook's hash version 1. */
export function namespacePlace(unit: string, name: string): number {
  return hashUnit({ seed: `__${name}`, unit, version: 1 });
}

/** Whether a unit belongs to the part of a namespace that an experiment takes. */
export function isInNamespace(unit: string, { name, range }: Namespace): boolean {
  return isInRange(namespacePlace(unit, name), range);
}
