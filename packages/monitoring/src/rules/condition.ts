import { z } from 'zod';
import { type Severity, severities } from '../alerts/severity.ts';
import { MONITORING_LIMITS } from '../limits.ts';
import { ConditionSource } from './sources.ts';

const MINUTE_MS = 60_000;

const wholeMinutes = (min: number) =>
  z
    .int()
    .min(min)
    .max(MONITORING_LIMITS.windowMs)
    .multipleOf(MINUTE_MS, `must be whole minutes, a multiple of ${MINUTE_MS}`);

/** In finite numbers: nothing compares with NaN. */
const bound = z.number();

const comparison = {
  op: z.enum(['>', '>=', '<', '<=']),
  value: bound,
  /**
   * Where an alert that fires recovers: on the other side of `value`. It fires on while the number lies in between. Default:
   * as soon as `value` no longer holds.
   */
  recover: bound.optional(),
  /** Worse severities, each with the value that it holds from. */
  levels: z
    .array(z.strictObject({ severity: z.enum(severities), value: bound }))
    .min(1)
    .max(severities.length)
    .readonly()
    .optional(),
};

const measured = {
  of: ConditionSource,
  /** The window that the number is of; it ends with the last whole minute before the evaluation. */
  windowMs: wholeMinutes(MINUTE_MS),
};

/** A number beyond a bound. */
export const ThresholdCondition = z.strictObject({ kind: z.literal('threshold'), ...measured, ...comparison });

/** By how much a number differs from that of an earlier window of the same length. */
export const ChangeCondition = z.strictObject({
  kind: z.literal('change'),
  ...measured,
  /** How far back the earlier window lies. Default: it ends where the other begins. */
  beforeMs: wholeMinutes(MINUTE_MS).optional(),
  /** The difference, or the difference over the size of the earlier number, which misses where that is 0. */
  as: z.enum(['difference', 'relative']),
  ...comparison,
});

/** That there are no data. */
export const AbsenceCondition = z.strictObject({ kind: z.literal('absence'), ...measured });

interface Combination<Kind extends 'and' | 'or'> {
  readonly kind: Kind;
  readonly conditions: readonly Condition[];
}

/** A condition on one source. */
export type ConditionLeaf = Readonly<
  z.output<typeof ThresholdCondition> | z.output<typeof ChangeCondition> | z.output<typeof AbsenceCondition>
>;

/** When a rule's alerts fire. */
export type Condition = ConditionLeaf | Combination<'and'> | Combination<'or'>;

const combination = <Kind extends 'and' | 'or'>(kind: Kind) =>
  z.strictObject({
    kind: z.literal(kind),
    /** Their series are joined by their labels: all have the same `by`. */
    get conditions(): z.ZodType<readonly Condition[]> {
      return z.array(AnyCondition).min(2).max(MONITORING_LIMITS.conditionLeaves).readonly();
    },
  });

const AnyCondition: z.ZodType<Condition> = z.discriminatedUnion('kind', [
  ThresholdCondition,
  ChangeCondition,
  AbsenceCondition,
  combination('and'),
  combination('or'),
]);

/** A condition from outside, checked; errors name the path of what is wrong. */
export const Condition = AnyCondition.superRefine((condition, context) => {
  const leaves = leavesOf(condition);
  if (leaves.length > MONITORING_LIMITS.conditionLeaves) {
    context.addIssue({
      code: 'custom',
      message: `must have at most ${MONITORING_LIMITS.conditionLeaves} conditions in all`,
    });
  }
  const [first] = leaves;
  for (const { leaf, path, depth } of leaves) {
    const refuse = (at: readonly PropertyKey[], message: string) =>
      context.addIssue({ code: 'custom', path: [...path, ...at], message });
    if (depth > MONITORING_LIMITS.conditionDepth)
      refuse([], `must lie at most ${MONITORING_LIMITS.conditionDepth} deep`);
    if (keysOf(leaf).join() !== keysOf(first?.leaf ?? leaf).join()) {
      refuse(['of', 'by'], 'must be the same in all conditions of a rule');
    }
    if (new Set(leaf.of.by).size !== (leaf.of.by ?? []).length) refuse(['of', 'by'], 'must name each key once');
    if (leaf.kind !== 'absence') checkComparison(leaf, refuse);
    else if (leaf.of.source === 'batch_jobs')
      refuse(['of', 'source'], 'must be one that can miss: no batch jobs are 0');
  }
});

export interface PlacedLeaf {
  readonly leaf: ConditionLeaf;
  readonly path: readonly PropertyKey[];
  readonly depth: number;
}

/** The conditions on sources in a condition, in order, with where they stand. */
export function leavesOf(condition: Condition, path: readonly PropertyKey[] = [], depth = 1): readonly PlacedLeaf[] {
  if (condition.kind !== 'and' && condition.kind !== 'or') return [{ leaf: condition, path, depth }];
  return condition.conditions.flatMap((part, index) => leavesOf(part, [...path, 'conditions', index], depth + 1));
}

/** The labels that tell the series of a condition apart, in order. */
export function keysOf(condition: Condition): readonly string[] {
  const [first] = leavesOf(condition);
  return [...(first?.leaf.of.by ?? [])].sort();
}

type Comparison = Extract<ConditionLeaf, { op: string }>;

function checkComparison(leaf: Comparison, refuse: (at: readonly PropertyKey[], message: string) => void): void {
  const { op, value, recover, levels = [] } = leaf;
  const isUpwards = op === '>' || op === '>=';
  const isBeyond = (one: number, other: number) => (isUpwards ? one > other : one < other);
  if (recover !== undefined && !isBeyond(value, recover)) {
    refuse(['recover'], `must be ${isUpwards ? 'less' : 'more'} than value: an alert recovers on the other side of it`);
  }
  let [lastValue, lastSeverity]: [number, Severity | undefined] = [value, undefined];
  levels.forEach((level, index) => {
    if (!isBeyond(level.value, lastValue)) {
      refuse(['levels', index, 'value'], `must be ${isUpwards ? 'more' : 'less'} than the one before it`);
    }
    if (lastSeverity !== undefined && severities.indexOf(level.severity) <= severities.indexOf(lastSeverity)) {
      refuse(['levels', index, 'severity'], 'must be worse than the one before it');
    }
    [lastValue, lastSeverity] = [level.value, level.severity];
  });
}
