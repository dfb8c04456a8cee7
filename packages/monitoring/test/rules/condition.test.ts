import { isDomainError, parseInput } from '@mcp-hub/db-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/alerts/episode.ts';
import { Condition, leavesOf } from '../../src/rules/condition.ts';
import { evaluateCondition } from '../../src/rules/evaluate-condition.ts';

const of = { source: 'telemetry', metric: 'latency_ms', statistic: 'p95' } as const;
const threshold = { kind: 'threshold', of, windowMs: 300_000, op: '>', value: 200 } as const;

/** Where and what a refused condition is told for. */
function refusal(condition: unknown): string {
  try {
    parseInput(Condition, condition);
  } catch (error) {
    if (isDomainError(error, 'invalid_input')) return error.message;
    throw error;
  }
  return 'accepted';
}

const says = (
  condition: Condition,
  ...numbers: readonly (number | null | readonly [number | null, number | null])[]
) => {
  const given = numbers.map((one) =>
    typeof one === 'object' && one !== null ? { now: one[0], before: one[1] } : { now: one, before: null },
  );
  const { outcome, severity, value } = evaluateCondition(parseInput(Condition, condition), given, 'info');
  return [outcome, severity, value];
};

describe('a condition from outside', () => {
  it.each([
    [{ kind: 'threshold' }, 'of is missing.'],
    [{ ...threshold, kind: 'treshold' }, 'kind must be one of: threshold, change, absence, and, or.'],
    [
      { ...threshold, of: { ...of, source: 'logs' } },
      'of.source must be one of: telemetry, batch_jobs, drift, performance.',
    ],
    [{ ...threshold, of: { ...of, statistic: 'p96' } }, 'of.statistic must be one of: mean, sum,'],
    [{ ...threshold, op: '==' }, 'op must be one of: >, >=, <, <=.'],
    [{ ...threshold, value: Number.NaN }, 'value must be of type number.'],
    [{ ...threshold, windowMs: 61_000 }, 'windowMs must be a multiple of 60000.'],
    [{ ...threshold, windowMs: 32 * 86_400_000 }, 'windowMs must be at most 2678400000.'],
    [{ ...threshold, recover: 200 }, 'recover must be less than value: an alert recovers on the other side of it.'],
    [{ ...threshold, op: '<', recover: 200 }, 'recover must be more than value'],
    [
      { ...threshold, levels: [{ severity: 'critical', value: 100 }] },
      'levels[0].value must be more than the one before',
    ],
    [
      { kind: 'and', conditions: [threshold, { ...threshold, value: 'x' }] },
      'conditions[1].value must be of type number.',
    ],
    [
      { kind: 'or', conditions: [threshold, { kind: 'and', conditions: [threshold, { ...threshold, op: '~' }] }] },
      'conditions[1].conditions[1].op must be one of',
    ],
    [
      { kind: 'and', conditions: [threshold, { ...threshold, of: { ...of, by: ['subject'] } }] },
      'conditions[1].of.by must be the same in all conditions of a rule.',
    ],
    [{ kind: 'and', conditions: [threshold] }, 'conditions must have at least 2 items, not 1.'],
    [{ kind: 'or', conditions: Array.from({ length: 11 }, () => threshold) }, 'conditions must have at most 10 items'],
    [{ ...threshold, of: { ...of, by: ['subject', 'subject'] } }, 'of.by must name each key once.'],
    [
      { kind: 'absence', of: { source: 'batch_jobs', measure: 'open_jobs' }, windowMs: 60_000 },
      'of.source must be one that can miss',
    ],
    [{ ...threshold, valu: 1 }, 'The input holds a field that is not known here'],
  ])('%#: is refused with the path of what is wrong', (condition, message) => {
    expect(refusal(condition)).toContain(message);
  });

  it('is refused where its combinations lie too deep', () => {
    let deep: unknown = threshold;
    for (let level = 0; level < 4; level += 1) deep = { kind: 'or', conditions: [threshold, deep] };
    expect(refusal(deep)).toContain('must lie at most 4 deep');
  });

  it('keeps what a value says out of its error', () => {
    expect(refusal({ ...threshold, of: { ...of, subject: 'secret\n' } })).not.toContain('secret');
  });
});

describe('by its numbers a condition', () => {
  it('fires beyond its bound, at it where it says so', () => {
    expect([200, 200.1].map((n) => says(threshold, n)[0])).toEqual(['clear', 'fires']);
    expect([199.9, 200].map((n) => says({ ...threshold, op: '>=' }, n)[0])).toEqual(['clear', 'fires']);
    expect([200, 199].map((n) => says({ ...threshold, op: '<' }, n)[0])).toEqual(['clear', 'fires']);
    expect([201, 200].map((n) => says({ ...threshold, op: '<=' }, n)[0])).toEqual(['clear', 'fires']);
  });
  it('holds between its bound and where it recovers, and is clear from there on', () => {
    const upwards = { ...threshold, recover: 150 };
    expect([201, 200, 150.1, 150].map((n) => says(upwards, n)[0])).toEqual(['fires', 'holds', 'holds', 'clear']);
    const downwards = { ...threshold, op: '<', recover: 250 } as const;
    expect([199, 200, 249, 250].map((n) => says(downwards, n)[0])).toEqual(['fires', 'holds', 'holds', 'clear']);
  });
  it('is worse from its levels on', () => {
    const levels = [{ severity: 'warning', value: 300 } as const, { severity: 'critical', value: 400 } as const];
    const told = [201, 301, 401].map((n) => says({ ...threshold, levels }, n)[1]);
    expect(told).toEqual(['info', 'warning', 'critical']);
  });
  it('misses without data, and where a number is none', () => {
    expect(says(threshold, null)).toEqual(['missing', 'info', null]);
    expect(says(threshold, Number.NaN)[0]).toBe('missing');
  });
  it('compares a change with the window before', () => {
    const change = { kind: 'change', of, windowMs: 60_000, as: 'relative', op: '>', value: 0.5 } as const;
    expect([says(change, [16, 10]), says(change, [15, 10]), says(change, [-4, -10])]).toEqual([
      ...[
        ['fires', 'info', 0.6],
        ['clear', 'info', 0.5],
        ['fires', 'info', 0.6],
      ],
    ]);
    expect([says(change, [1, 0])[0], says(change, [1, null])[0]]).toEqual(['missing', 'missing']);
    expect(says({ ...change, as: 'difference', value: 5 }, [16, 10])).toEqual(['fires', 'info', 6]);
  });
  it('of absence fires without data and is clear with them', () => {
    const absence = { kind: 'absence', of, windowMs: 60_000 } as const;
    expect([says(absence, null)[0], says(absence, 0)[0]]).toEqual(['fires', 'clear']);
  });
  it('combines by three-valued logic: what misses decides nothing that is decided without it', () => {
    const outcomes = ['fires', 'holds', 'missing', 'clear'] as const;
    const numbers = { fires: 201, holds: 160, missing: null, clear: 1 } as const;
    const part = { ...threshold, recover: 150 };
    const table = (kind: 'and' | 'or') =>
      outcomes.map((one) =>
        outcomes.map((other) => says({ kind, conditions: [part, part] }, numbers[one], numbers[other])[0]).join(' '),
      );
    expect(table('and')).toEqual([
      ...[
        'fires holds missing clear',
        'holds holds missing clear',
        'missing missing missing clear',
        'clear clear clear clear',
      ],
    ]);
    expect(table('or')).toEqual([
      ...[
        'fires fires fires fires',
        'fires holds holds holds',
        'fires holds missing missing',
        'fires holds missing clear',
      ],
    ]);
  });
  it('is as severe as the mildest of an and, and as the worst of an or that fires', () => {
    const bad = { ...threshold, levels: [{ severity: 'critical', value: 300 } as const] };
    expect(says({ kind: 'and', conditions: [bad, threshold] }, 301, 201)[1]).toBe('info');
    expect(says({ kind: 'or', conditions: [bad, threshold] }, 301, 201)[1]).toBe('critical');
    expect(says({ kind: 'or', conditions: [threshold, bad] }, 201, 100)[1]).toBe('info');
  });
});

const leaf = fc.record({
  kind: fc.constant('threshold' as const),
  of: fc.constant(of),
  windowMs: fc.constant(60_000),
  op: fc.constantFrom('>', '>=', '<', '<='),
  value: fc.integer({ min: -3, max: 3 }),
});
const { condition: anyCondition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.record({
      kind: fc.constant('and' as const),
      conditions: fc.array(tie('condition'), { minLength: 2, maxLength: 2 }),
    }),
    fc.record({
      kind: fc.constant('or' as const),
      conditions: fc.array(tie('condition'), { minLength: 2, maxLength: 2 }),
    }),
  ),
}));

describe('whatever is combined', () => {
  it('with all numbers there, fires exactly where plain logic says so', () => {
    const plain = (condition: Condition, numbers: number[]): boolean => {
      if (condition.kind === 'and') return condition.conditions.map((part) => plain(part, numbers)).every(Boolean);
      if (condition.kind === 'or') return condition.conditions.map((part) => plain(part, numbers)).some(Boolean);
      if (condition.kind === 'absence') throw new Error('There is none.');
      const n = numbers.shift() ?? 0;
      const { op, value } = condition;
      return op === '>' ? n > value : op === '>=' ? n >= value : op === '<' ? n < value : n <= value;
    };
    fc.assert(
      fc.property(
        anyCondition,
        fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 16, maxLength: 16 }),
        (condition, pool) => {
          const numbers = leavesOf(condition).map((_, index) => pool[index % pool.length] ?? 0);
          const { outcome } = evaluateCondition(
            condition,
            numbers.map((now) => ({ now, before: null })),
            'info',
          );
          expect(outcome satisfies Outcome).toBe(plain(condition, [...numbers]) ? 'fires' : 'clear');
        },
      ),
      { numRuns: 200 },
    );
  });
});
