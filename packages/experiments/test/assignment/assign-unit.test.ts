import { GrowthBook } from '@growthbook/growthbook';
import type { Id } from '@mcp-hub/db-core';
import { failureOf } from '@mcp-hub/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AssignmentDefinition, assignUnit, compileAssignment } from '../../src/index.ts';

/** Any valid text: surrogates in pairs, and no NUL. */
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((given) => !/[\0\p{Cs}]/u.test(given));
const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const variants = ['a', 'b', 'c'] as [string, string, string];
const idOf = (variant: string) => variant as Id<'Variant'>;

/** Ranges in order, with gaps, of three variants in any order and number. */
const ranges = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 10_000 }), fc.constantFrom(...variants)), { minLength: 1, maxLength: 6 })
  .map((cuts) => {
    const inOrder = cuts.toSorted(([one], [other]) => one - other);
    return inOrder.flatMap(([start, variant], at) => {
      const end = inOrder[at + 1]?.[0] ?? 10_000;
      return end > start
        ? [{ variantId: idOf(variant), start: start / 10_000, end: (start + (end - start) * 0.9) / 10_000 }]
        : [];
    });
  });

const definition = fc.record({
  status: fc.constantFrom<AssignmentDefinition['status']>(
    'running',
    'running',
    'running',
    'draft',
    'paused',
    'stopped',
  ),
  allocation: fc.record({ epoch: fc.constant(1), seed: text, hashVersion: fc.constantFrom(1, 2), ranges }),
  layer: fc.option(
    fc
      .tuple(text, share, share)
      .map(([seed, one, other]) => ({ seed, start: Math.min(one, other), end: Math.max(one, other) })),
  ),
  holdouts: fc.array(fc.record({ seed: text, share: share.map((part) => part / 3) }), { maxLength: 2 }),
  targeting: fc.option(
    fc.tuple(fc.constantFrom('DE', 'AT'), fc.integer({ min: 0, max: 60 })).map(([country, age]) => ({
      attributes: { country: 'text', age: 'number' } as const,
      filter: {
        and: [{ field: 'country', op: 'in', value: [country, 'FR'] }, { not: { field: 'age', op: '<', value: age } }],
      } as const,
    })),
  ),
}) satisfies fc.Arbitrary<AssignmentDefinition>;

const attributes = fc.record({
  country: fc.constantFrom('DE', 'AT', 'FR', 'IT'),
  age: fc.integer({ min: 0, max: 80 }),
});

/** The same experiment as GrowthBook has it: layer and holdouts are filters, ranges are its own. */
function theirVariant(given: AssignmentDefinition, id: string, of: { readonly country: string; readonly age: number }) {
  const { allocation, layer, holdouts, targeting, status } = given;
  const [list, not] =
    (targeting?.filter as { and: [{ value: string[] }, { not: { value: number } }] } | undefined)?.and ?? [];
  const sdk = new GrowthBook({ attributes: { id, ...of } });
  // A range that is a variation of its own: the SDK knows one a variation.
  const { inExperiment, variationId } = sdk.run({
    key: 'experiment',
    // It wants two at least.
    variations: [...allocation.ranges.map(({ variantId }) => variantId as string), '', ''] as [string, string],
    ranges: [...allocation.ranges.map(({ start, end }) => [start, end]), [0, 0], [0, 0]] as [number, number][],
    seed: allocation.seed,
    hashVersion: allocation.hashVersion as 1 | 2,
    active: status === 'running',
    filters: [
      ...holdouts.map((holdout) => ({
        seed: holdout.seed,
        hashVersion: 2,
        attribute: 'id',
        ranges: [[holdout.share, 1]],
      })),
      ...(layer === null
        ? []
        : [{ seed: `__${layer.seed}`, hashVersion: 1, attribute: 'id', ranges: [[layer.start, layer.end]] }]),
    ] as never,
    ...(list === undefined || not === undefined
      ? {}
      : { condition: { country: { $in: list.value }, age: { $gte: not.not.value } } }),
  });
  sdk.destroy();
  return inExperiment ? (allocation.ranges[variationId]?.variantId ?? null) : null;
}

describe("assignUnit beside GrowthBook's SDK", () => {
  it('gives every unit the variant that the SDK gives', () => {
    const reasons: Record<string, number> = {};
    fc.assert(
      fc.property(definition, fc.array(fc.tuple(text, attributes), { minLength: 3, maxLength: 3 }), (given, units) => {
        const compiled = compileAssignment(given);
        for (const [unit, of] of units) {
          const ours = compiled.assignUnit(unit, of);
          expect(ours.variantId).toBe(theirVariant(given, unit, of));
          expect(assignUnit(given, unit, of)).toEqual(ours);
          reasons[ours.reason] = (reasons[ours.reason] ?? 0) + 1;
        }
      }),
      { numRuns: 800 },
    );
    for (const reason of ['assigned', 'not_running', 'holdout', 'layer', 'targeting', 'coverage']) {
      expect([reason, reasons[reason]]).toEqual([reason, expect.any(Number)]);
    }
  });

  it('takes units with astral characters by their UTF-16 code units', () => {
    const both: AssignmentDefinition = {
      ...{ status: 'running', layer: null, holdouts: [], targeting: null },
      allocation: {
        ...{ epoch: 1, seed: '🧪', hashVersion: 2 },
        ranges: [
          { variantId: idOf('a'), start: 0, end: 0.5 },
          { variantId: idOf('b'), start: 0.5, end: 1 },
        ],
      },
    };
    for (let code = 0x1f300; code < 0x1f500; code += 1) {
      const unit = `${String.fromCodePoint(code)}${code}`;
      expect(assignUnit(both, unit).variantId).toBe(theirVariant(both, unit, { country: '', age: 0 }));
    }
  });
});

const running: AssignmentDefinition = {
  ...{ status: 'running', layer: null, holdouts: [], targeting: null },
  allocation: { epoch: 1, seed: 's', hashVersion: 2, ranges: [{ variantId: idOf('a'), start: 0, end: 1 }] },
};

describe('assignUnit', () => {
  it('refuses what no row can hold, whatever it would have come to', async () => {
    for (const status of ['running', 'draft'] as const) {
      const { assignUnit: find } = compileAssignment({ ...running, status });
      for (const unit of ['\ud83d', 'a\udc00b', 'a\0b', '', 'x'.repeat(257), undefined, 7]) {
        expect(await failureOf(Promise.resolve(unit as string).then((given) => find(given)))).toMatchObject({
          code: 'invalid_input',
          details: { field: 'unit' },
        });
      }
      expect(find('x'.repeat(256)).reason).toBe(status === 'running' ? 'assigned' : 'not_running');
    }
  });

  it('looks at holdouts, the layer, the targeting and the ranges in this order', () => {
    const none = { ...running, allocation: { ...running.allocation, ranges: [] } };
    const targeting = { attributes: { paid: 'boolean' }, filter: { field: 'paid', op: '=', value: true } } as const;
    const layer = { seed: 'l', start: 0, end: 0 };
    const reasonOf = (given: Partial<AssignmentDefinition>) =>
      assignUnit({ ...none, ...given }, 'u', { paid: false }).reason;
    expect(reasonOf({})).toBe('coverage');
    expect(reasonOf({ targeting })).toBe('targeting');
    expect(reasonOf({ targeting, layer })).toBe('layer');
    expect(reasonOf({ targeting, layer, holdouts: [{ seed: 'h', share: 0.99999 }] })).toBe('holdout');
    expect(reasonOf({ targeting, layer, holdouts: [{ seed: 'h', share: 0.99999 }], status: 'paused' })).toBe(
      'not_running',
    );
  });

  it('lets no unit pass of which the targeting does not know enough', () => {
    const targeting = {
      attributes: { age: 'number', since: 'time' },
      filter: {
        or: [
          { not: { field: 'age', op: '<', value: 18 } },
          { field: 'since', op: '<', value: '2020-01-01T00:00:00.000Z' },
        ],
      },
    } as const;
    const { assignUnit: find } = compileAssignment({ ...running, targeting });
    const passes = (given: Parameters<typeof find>[1]) => find('u', given).reason === 'assigned';
    expect(passes({ age: 18 })).toBe(true);
    expect(passes({ age: 17 })).toBe(false);
    expect(passes({})).toBe(false);
    expect(passes(undefined)).toBe(false);
    expect(passes({ age: null })).toBe(false);
    // Of another kind than declared: as missing.
    expect(passes({ age: '18' })).toBe(false);
    expect(passes({ age: '18', since: new Date('2019-01-01Z') })).toBe(true);
    expect(() => find('u', { since: 'last year' })).toThrow('The value of since must be a time');
  });
});
