import type { Outcome } from '../alerts/episode.ts';
import { mildest, type Severity, worst } from '../alerts/severity.ts';
import type { Condition, ConditionLeaf } from './condition.ts';

/** The numbers of one series that one leaf is decided by; null: no data. */
export interface LeafNumbers {
  readonly now: number | null;
  /** Of the earlier window, for a change. */
  readonly before: number | null;
}

/** What a condition says of one series. */
export interface Verdict {
  readonly outcome: Outcome;
  /** The number that was compared; of a combination, that of the first part that decided it. */
  readonly value: number | null;
  /** The mildest severity that the rule gives, or worse by the levels of the condition. */
  readonly severity: Severity;
}

/**
 * What a condition says of one series by the numbers of its leaves, in the order of leavesOf. Pure.
 *
 * Combined as Kleene's three-valued logic has it, missing as unknown: one part that is clear decides an `and`, one that
 * fires an `or`. An `and` is as severe as its mildest part, an `or` as its worst that fires.
 */
export function evaluateCondition(condition: Condition, numbers: readonly LeafNumbers[], severity: Severity): Verdict {
  let next = 0;
  const visit = (part: Condition): Verdict => {
    if (part.kind === 'and' || part.kind === 'or') return combine(part.kind, part.conditions.map(visit), severity);
    const given = numbers[next];
    next += 1;
    if (given === undefined) throw new TypeError('There are numbers for each leaf');
    return leafVerdict(part, given, severity);
  };
  return visit(condition);
}

function leafVerdict(leaf: ConditionLeaf, { now, before }: LeafNumbers, severity: Severity): Verdict {
  if (leaf.kind === 'absence') return { outcome: now === null ? 'fires' : 'clear', value: null, severity };
  const value = leaf.kind === 'threshold' ? now : changeOf(leaf.as, now, before);
  if (value === null || Number.isNaN(value)) return { outcome: 'missing', value: null, severity };
  const { op, recover, levels = [] } = leaf;
  if (!compares[op](value, leaf.value)) {
    // Recovered is what lies at `recover` or beyond.
    const isRecovered = recover === undefined || !compares[op === '>' || op === '>=' ? '>' : '<'](value, recover);
    return { outcome: isRecovered ? 'clear' : 'holds', value, severity };
  }
  const reached = levels.filter((level) => compares[op](value, level.value)).map((level) => level.severity);
  return { outcome: 'fires', value, severity: reached.reduce(worst, severity) };
}

const compares = {
  '>': (one: number, other: number) => one > other,
  '>=': (one: number, other: number) => one >= other,
  '<': (one: number, other: number) => one < other,
  '<=': (one: number, other: number) => one <= other,
} as const;

function changeOf(as: 'difference' | 'relative', now: number | null, before: number | null): number | null {
  if (now === null || before === null) return null;
  if (as === 'difference') return now - before;
  return before === 0 ? null : (now - before) / Math.abs(before);
}

/** By how much each says that it fires. In the order of three-valued logic: unknown lies between no and yes. */
const ranks = { clear: 0, missing: 1, holds: 2, fires: 3 } as const satisfies Readonly<Record<Outcome, number>>;

function combine(kind: 'and' | 'or', parts: readonly Verdict[], severity: Severity): Verdict {
  const rankOf = ({ outcome }: Verdict) => ranks[outcome];
  const wanted = kind === 'and' ? Math.min(...parts.map(rankOf)) : Math.max(...parts.map(rankOf));
  const deciding = parts.filter((part) => rankOf(part) === wanted);
  const [first] = deciding;
  if (first === undefined) throw new TypeError('A combination has parts');
  if (first.outcome !== 'fires') return { ...first, severity };
  return { ...first, severity: deciding.map((part) => part.severity).reduce(kind === 'and' ? mildest : worst) };
}
