import { type DomainError } from '@mcp-hub/db-core';
import { confidenceSequence, mulberry32, normal, powerOfTwoMeans, sampleSizeOfTwoProportions } from '@mcp-hub/stats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlanExperimentInput, planExperiment } from '../../src/index.ts';

const bought = { key: 'bought', kind: 'proportion', minimumEffect: 0.2, baseline: { mean: 0.1 } } as const;
const spent = { key: 'spent', kind: 'mean', minimumEffect: 0.1, baseline: { mean: 20, variance: 400 } } as const;
const halves: Pick<PlanExperimentInput, 'weights' | 'test'> = { weights: [0.5, 0.5], test: 'fixed' };

/** Of a plan that tells. */
function needed(input: PlanExperimentInput) {
  const { value, reason } = planExperiment(input).needed;
  if (value === null) throw new Error(reason);
  return value;
}

describe('planExperiment', () => {
  it("gives what R's power.prop.test and power.t.test's normal form give for equal arms", () => {
    // power.prop.test(p1 = 0.1, p2 = 0.12, power = 0.8): n = 3840.85
    expect(needed({ ...halves, metrics: [bought] })).toEqual({ units: 7_682, perVariant: [3_841, 3_841], days: null });
    // 2 ((1.959964 + 0.841621) 20 / 2)² = 1569.8
    expect(needed({ ...halves, metrics: [spent] }).perVariant).toEqual([1_570, 1_570]);
    const down = { ...bought, direction: 'decrease' } as const;
    expect(needed({ ...halves, metrics: [down] }).perVariant[0]).toBe(
      Math.ceil(sampleSizeOfTwoProportions({ p1: 0.1, p2: 0.08, power: 0.8 })),
    );
  });

  it('gives the power that was asked for, and no unit too many, whatever the weights', () => {
    const parts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 });
    const share = fc.double({ min: 0.01, max: 0.5, noNaN: true });
    const power = fc.double({ min: 0.5, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(parts, share, power, share, (given, minimumEffect, wanted, alpha) => {
        const total = given.reduce((sum, part) => sum + part, 0);
        const weights = given.map((part) => part / total);
        const metrics = [{ ...spent, minimumEffect }];
        const { units, perVariant } = needed({ weights, metrics, power: wanted, alpha, test: 'fixed' });
        // Of a difference with variance σ² (1/a + 1/b): that of equal arms of 2 / (1/a + 1/b) units.
        const powerOf = (scale: number) => {
          const [control = 0, ...treatments] = weights.map((weight) => weight * scale);
          const n = 2 / (1 / control + 1 / Math.min(...treatments));
          return powerOfTwoMeans({ n, difference: 20 * minimumEffect, standardDeviation: 20, alpha });
        };
        expect(powerOf(units)).toBeGreaterThanOrEqual(wanted - 1e-9);
        expect(powerOf(units - perVariant.length)).toBeLessThanOrEqual(wanted + 1e-9);
      }),
      { numRuns: 200 },
    );
  });

  it('takes what a covariate explains out of the variance', () => {
    const metrics = [{ ...spent, baseline: { ...spent.baseline, covariateCorrelation: 0.6 } }];
    expect(needed({ ...halves, metrics }).perVariant).toEqual([Math.ceil(1_569.77 * 0.64), Math.ceil(1_569.77 * 0.64)]);
  });

  it('tells the days in which the units come and the last one is complete', () => {
    const plan = (more: Partial<PlanExperimentInput>) => needed({ ...halves, metrics: [bought], ...more }).days;
    expect(plan({ unitsPerDay: 1_000 })).toBe(8);
    expect(plan({ unitsPerDay: 1_000, coverage: 0.1 })).toBe(77);
    const week = { ...bought, completeAfterMs: 7 * 86_400_000 };
    expect(plan({ unitsPerDay: 1_000, metrics: [week] })).toBe(15);
  });

  it('needs what the metric needs that needs the most, and as long as the longest takes', () => {
    const slow = { ...spent, completeAfterMs: 90 * 86_400_000 };
    const plan = planExperiment({ ...halves, unitsPerDay: 1_000, metrics: [bought, slow] });
    expect(plan.metrics.map((metric) => metric.needed.value?.units)).toEqual([7_682, 3_140]);
    expect(plan.needed.value).toMatchObject({ units: 7_682, days: 94 });
  });

  it('plans a sequential test by its last look: about twice the units of a fixed one', () => {
    const fixed = needed({ ...halves, metrics: [spent] });
    const sequential = needed({ weights: [0.5, 0.5], metrics: [spent] });
    expect(sequential.units / fixed.units).toBeCloseTo(1.91, 2);
    for (const weights of [
      [0.5, 0.5],
      [0.4, 0.3, 0.3],
    ]) {
      const { units } = needed({ weights, metrics: [spent] });
      // Of the two arms that are compared.
      const [a, b] = [(weights[0] ?? 0) * units, (weights[1] ?? 0) * units];
      const standardError = 20 * Math.sqrt(1 / a + 1 / b);
      // As analyse has it.
      const tuningN = (units * 2) / weights.length;
      const { halfWidth } = confidenceSequence({ effect: { estimate: 0, standardError }, n: a + b, tuningN });
      expect(normal().cdf((2 - halfWidth) / standardError)).toBeCloseTo(0.8, 3);
    }
  });

  it('finds an effect of that size with a sequential test of 20 looks at least as often as it says', () => {
    const { units } = needed({ weights: [0.5, 0.5], metrics: [spent] });
    const random = mulberry32(7);
    const draw = () => normal().inverseCdf(random() * 0.999_998 + 1e-6);
    const [runs, looks] = [1_000, 20];
    let found = 0;
    for (let run = 0; run < runs; run++) {
      let sum = 0;
      for (let look = 1; look <= looks; look++) {
        // Of a look the difference of sums of its units: mean 2 n, variance 2 n σ², n an arm.
        const n = units / 2 / looks;
        sum += 2 * n + draw() * Math.sqrt(2 * n * 400);
        const arm = n * look;
        const effect = { estimate: sum / arm, standardError: 20 * Math.sqrt(2 / arm) };
        if (confidenceSequence({ effect, n: 2 * arm, tuningN: units }).p <= 0.05) {
          found += 1;
          break;
        }
      }
    }
    expect(found / runs).toBeGreaterThan(0.8 - 3 * Math.sqrt(0.16 / runs));
  });

  it('says why where there is nothing to tell', () => {
    const reasonOf = (metric: PlanExperimentInput['metrics'][number]) =>
      planExperiment({ ...halves, metrics: [metric] }).metrics[0]?.needed.reason;
    expect(reasonOf({ ...bought, kind: 'ratio' })).toBe('only means and proportions are planned');
    expect(reasonOf({ ...bought, baseline: { mean: 0 } })).toBe('a share of a baseline of 0 is no effect');
    expect(reasonOf({ ...bought, baseline: { mean: 0.9 } })).toBe('the effect leads to a share outside 0 to 1');
    expect(reasonOf({ ...bought, baseline: { mean: 1 } })).toBe('a share of 1 cannot grow');
    expect(reasonOf({ ...spent, baseline: { mean: 1, variance: 0 } })).toBe('the units do not vary');
    expect(reasonOf({ ...spent, minimumEffect: 1e-12 })).toBe('the effect is too small to be found');
    expect(reasonOf({ ...spent, baseline: { ...spent.baseline, covariateCorrelation: 1 } })).toBe(
      'the covariate leaves no variance',
    );
    expect(planExperiment({ ...halves, metrics: [{ ...bought, kind: 'ratio' }, spent] }).needed.value?.units).toBe(
      3_140,
    );
    expect(planExperiment({ ...halves, metrics: [{ ...bought, kind: 'ratio' }] }).needed).toEqual({
      value: null,
      reason: 'no metric can be planned',
    });
  });

  it('refuses what is no plan', () => {
    const codeOf = (input: PlanExperimentInput) => {
      try {
        planExperiment(input);
        return 'none';
      } catch (error) {
        return (error as DomainError).code;
      }
    };
    const wrong: readonly PlanExperimentInput[] = [
      { ...halves, weights: [0.5, 0.4], metrics: [spent] },
      { ...halves, weights: [1, 0], metrics: [spent] },
      { ...halves, metrics: [] },
      { ...halves, metrics: [{ ...spent, baseline: { mean: 1 } }] },
      { ...halves, metrics: [{ ...bought, baseline: { mean: 1.5 } }] },
      { ...halves, metrics: [spent], power: 1 },
      { ...halves, metrics: [spent], unitsPerDay: 0 },
    ];
    for (const input of wrong) expect(codeOf(input)).toBe('invalid_input');
  });
});
