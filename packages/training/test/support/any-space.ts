import { parseInput } from '@mcp-hub/db-core';
import fc from 'fast-check';
import { type ParamValue, SearchSpace, type SearchSpaceParam, type TrialParams } from '../../src/index.ts';
import { countValues, valueAt } from '../../src/samplers/param-values.ts';

const anyFloat = fc
  .tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true }))
  .map(([low, width]): SearchSpaceParam => ({ type: 'float', low: low + 0, high: low + width }));
const anyLogFloat = fc
  .tuple(fc.double({ min: 1e-12, max: 1e6, noNaN: true }), fc.double({ min: 1, max: 1e9, noNaN: true }))
  .map(([low, factor]): SearchSpaceParam => ({ type: 'float', low, high: low * factor, log: true }));
const anySteppedFloat = fc
  .tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 40 }), fc.constantFrom(0.1, 0.25, 0.01, 3))
  .map(([from, steps, step]): SearchSpaceParam => {
    const low = Number((from * step).toFixed(2));
    return { type: 'float', low, high: Number((low + steps * step).toFixed(2)), step };
  });
const anyInt = fc
  .tuple(fc.integer({ min: -100, max: 100 }), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 9 }))
  .map(([low, steps, step]): SearchSpaceParam => ({ type: 'int', low, high: low + steps * step, step }));
const anyLogInt = fc
  .tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 100_000 }))
  .map(([low, width]): SearchSpaceParam => ({ type: 'int', low, high: low + width, log: true }));
const anyChoice = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.boolean(), fc.constant(null));
const anyCategorical = fc
  .uniqueArray(anyChoice.filter(isPlain), { minLength: 1, maxLength: 6 })
  .map((choices): SearchSpaceParam => ({ type: 'categorical', choices }));
const anyParam = fc.oneof(anyFloat, anyLogFloat, anySteppedFloat, anyInt, anyLogInt, anyCategorical);

function isPlain(value: ParamValue): boolean {
  return typeof value !== 'string' || /^[ -~]*$/.test(value);
}

/** Spaces of up to eight parameters, some with conditions on others, conditions upon conditions among them. */
export const anySpace: fc.Arbitrary<SearchSpace> = fc
  .array(fc.tuple(anyParam, fc.option(fc.tuple(fc.nat(), fc.array(fc.nat(), { minLength: 1, maxLength: 3 })))), {
    minLength: 1,
    maxLength: 8,
  })
  .map((drafts) => {
    const params: SearchSpaceParam[] = [];
    for (const [param, condition] of drafts) {
      const parents = params.flatMap((parent, index) => (Number.isFinite(countValues(parent)) ? [index] : []));
      const at = condition === null ? undefined : parents[condition[0] % Math.max(parents.length, 1)];
      const parent = at === undefined ? undefined : params[at];
      if (condition === null || parent === undefined) params.push(param);
      else {
        const values = condition[1].map((index) => valueAt(parent, index % Math.min(countValues(parent), 5)));
        params.push({ ...param, when: { param: `p${at}`, in: [...new Set(values)] } });
      }
    }
    return parseInput(SearchSpace, Object.fromEntries(params.map((param, index) => [`p${index}`, param])));
  });

/** The same, its names the other way round. */
export const reversed = <Value>(record: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(record).toReversed());

/** Some of the parameters, and conditions' parameters with what stands on them. */
export function someOf(space: SearchSpace, params: TrialParams, keep: readonly boolean[]): TrialParams {
  const kept: Record<string, ParamValue> = {};
  for (const [index, [name, value]] of Object.entries(params).entries()) {
    const parent = space[name]?.when?.param;
    if (keep[index] === true && (parent === undefined || Object.hasOwn(kept, parent))) kept[name] = value;
  }
  return kept;
}
