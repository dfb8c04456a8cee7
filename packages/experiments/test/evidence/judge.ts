import type { QuantileSummary } from '@mcp-hub/stats';
import { coMomentsOfSums, type PairSums } from '@mcp-hub/stats';
import { tuningUnits } from '../../src/analysis/analysis-definition.ts';
import { type Compared, compareArms } from '../../src/analysis/compare-arms.ts';
import {
  type Analysis,
  type AnalysisDefinition,
  type AnalysisInput,
  type AnalysisMetric,
  type ArmComparison,
  analyse,
  type EffectResult,
  type ExperimentCorrection,
  type ExperimentTest,
  type MetricKind,
  type MetricResult,
} from '../../src/index.ts';
import type { DrawUnit, Unit } from './draws.ts';

/** Sums of an arm, to which units are added in place. */
export type Arm = { -readonly [Key in keyof PairSums]: PairSums[Key] } & { nonZero: number };

export function emptyArm(): Arm {
  return { n: 0, nonZero: 0, sumX: 0, sumY: 0, sumSquaresX: 0, sumSquaresY: 0, sumProducts: 0 };
}

// Numbers that are no integers from the start, so that the engine keeps them unboxed.
const unit: Unit = { x: 0.5, y: 0.5 };

export function addUnits(arm: Arm, count: number, draw: DrawUnit): void {
  // Sums in variables: fields of an object are written to memory for every unit.
  let { nonZero, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts } = arm;
  for (let i = 0; i < count; i++) {
    draw(unit);
    const { x, y } = unit;
    if (y !== 0) nonZero++;
    sumX += x;
    sumY += y;
    sumSquaresX += x * x;
    sumSquaresY += y * y;
    sumProducts += x * y;
  }
  Object.assign(arm, { n: arm.n + count, nonZero, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts });
}

export interface Arms {
  readonly control: Arm;
  readonly treatment: Arm;
}

/** An experiment of two variants. */
export interface DefinitionInput {
  /** Default sequential. */
  readonly test?: ExperimentTest;
  readonly alpha: number;
  readonly plannedUnits: number;
  readonly metrics: readonly Pick<AnalysisMetric, 'kind' | 'role' | 'cupedMs' | 'quantile' | 'minimumEffect'>[];
  /** Default holm. */
  readonly correction?: ExperimentCorrection;
  /** Of the treatment; default a half. */
  readonly share?: number;
}

export function definitionOf(input: DefinitionInput): AnalysisDefinition {
  const { test = 'sequential', alpha, plannedUnits, metrics, correction = 'holm', share = 0.5 } = input;
  return {
    ...{ revision: 1, test, alpha, correction, plannedUnits, minimumUnits: 150 },
    variants: [
      { id: 'control', key: 'control', isControl: true },
      { id: 'treatment', key: 'treatment', isControl: false },
    ],
    metrics: metrics.map((metric, i) => ({
      ...{ id: `metric-${i}`, key: `metric-${i}`, direction: 'increase' as const, alpha: null },
      ...metric,
    })),
    allocations: [{ epoch: 1, weights: [1 - share, share] }],
  };
}

/** A metric that is not special. */
export const metricOf = (kind: MetricKind): DefinitionInput['metrics'][number] => ({
  ...{ kind, role: 'primary', cupedMs: null, quantile: null, minimumEffect: null },
});

const asOf = new Date(Date.UTC(2026, 0, 31));
const day = '2026-01-01';

/** What a snapshot would be of: the arms of each metric in the definition's order, all units of one day. */
function inputOf(definition: AnalysisDefinition, arms: readonly Arms[]): AnalysisInput {
  const [first] = arms;
  const counts = { control: first?.control.n ?? 0, treatment: first?.treatment.n ?? 0 };
  const rows = (['control', 'treatment'] as const).map((variantId) => ({ variantId }));
  return {
    ...bare,
    units: counts.control + counts.treatment,
    daily: rows.map(({ variantId }) => ({
      ...{ day, epoch: 1, variantId, units: counts[variantId], withMultiple: counts[variantId] },
    })),
    metrics: definition.metrics.flatMap(({ id }, i) =>
      rows.flatMap(({ variantId }) => {
        const arm = arms[i]?.[variantId];
        if (arm === undefined) return [];
        return [{ metricId: id, variantId, slice: null, sums: coMomentsOfSums(arm), nonZero: arm.nonZero }];
      }),
    ),
  };
}

const bare: AnalysisInput = {
  ...{ asOf, units: 0, multipleUnits: 0, forcedUnits: 0, exposedBeforeAssignment: 0, outcomes: 0 },
  ...{ daily: [], metrics: [], quantiles: [] },
};

/** An analysis of sums as a snapshot has it. */
export function analysisOf(definition: AnalysisDefinition, arms: readonly Arms[], look = 1): Analysis {
  return analyse(definition, inputOf(definition, arms), { look });
}

/**
 * What an analysis says of its first metric: compareArms alone, which is what `analyse` calls, as the checks of health take
 * most of its time.
 */
export function comparisonOf(definition: AnalysisDefinition, { control, treatment }: Arms): Compared {
  const [metric] = definition.metrics;
  if (metric === undefined) throw new Error('There is no metric.');
  const read = (arm: Arm) => {
    const sums = coMomentsOfSums(arm);
    return { n: arm.n, nonZero: arm.nonZero, sums, quantile: null, strata: [sums] };
  };
  return compareArms(metric, read(control), read(treatment), optionsOf(definition));
}

/** The same of two quantiles. */
export function quantileComparison(
  definition: AnalysisDefinition,
  { control, treatment }: { readonly control: QuantileSummary; readonly treatment: QuantileSummary },
): Compared {
  const [metric] = definition.metrics;
  if (metric === undefined) throw new Error('There is no metric.');
  const read = (quantile: QuantileSummary) => {
    return { n: quantile.n, nonZero: quantile.n, sums: coMomentsOfSums(emptyArm()), quantile, strata: [] };
  };
  return compareArms(metric, read(control), read(treatment), optionsOf(definition));
}

const optionsOf = (definition: AnalysisDefinition) => ({
  ...{ alpha: definition.alpha, tuningUnits: tuningUnits(definition), weightsChanged: false },
});

/** What an analysis says of the treatment in each metric. */
export function treatmentOf({ results }: Analysis): readonly MetricResult[] {
  return results.filter(({ isControl }) => !isControl);
}

/** An effect that is there; throws where it is undefined. */
export function definedEffect(comparison: ArmComparison | null, of: keyof ArmComparison): DefinedEffect {
  const effect = comparison?.[of];
  if (effect === undefined || !isDefined(effect)) throw new Error(`No effect: ${effect?.reason ?? 'no comparison'}`);
  return effect;
}

type DefinedEffect = {
  readonly [Key in Exclude<keyof EffectResult, 'reason' | 'degreesOfFreedom'>]: NonNullable<EffectResult[Key]>;
};

function isDefined(effect: EffectResult): effect is EffectResult & DefinedEffect {
  return effect.p !== null && effect.lower !== null && effect.validLower !== null;
}
