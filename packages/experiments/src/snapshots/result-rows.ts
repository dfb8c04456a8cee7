import type { ArmComparison, EffectResult, MetricResult } from '../analysis/analysis.ts';
import type { abSnapshotResults } from './schema.ts';

type Row = typeof abSnapshotResults.$inferSelect;
/** A row of ab_snapshot_results without what its snapshot says. */
export type ResultRow = Readonly<Omit<Row, 'tenantId' | 'snapshotId'>>;

/** Lays a result out in columns. */
export function toResultRow(result: MetricResult, position: number): ResultRow {
  const { slice, comparison, ...columns } = result;
  const { absolute = nothing, relative = nothing } = comparison ?? {};
  return {
    ...columns,
    ...{ dimension: slice?.dimension ?? '', value: slice?.value ?? '', position },
    ...{ absoluteEstimate: absolute.estimate, absoluteStandardError: absolute.standardError },
    ...{ absoluteDegreesOfFreedom: absolute.degreesOfFreedom, absoluteReason: absolute.reason },
    ...{ absoluteLower: absolute.lower, absoluteUpper: absolute.upper, absoluteP: absolute.p },
    ...{ absoluteValidLower: absolute.validLower, absoluteValidUpper: absolute.validUpper },
    ...{ absoluteValidP: absolute.validP },
    ...{ relativeEstimate: relative.estimate, relativeStandardError: relative.standardError },
    ...{ relativeDegreesOfFreedom: relative.degreesOfFreedom, relativeReason: relative.reason },
    ...{ relativeLower: relative.lower, relativeUpper: relative.upper, relativeP: relative.p },
    ...{ relativeValidLower: relative.validLower, relativeValidUpper: relative.validUpper },
    ...{ relativeValidP: relative.validP },
  };
}

/** The result that was laid out. */
export function toMetricResult(row: ResultRow): MetricResult {
  const { metricId, metricKey, role, kind, variantId, variantKey, isControl, n, nonZero, mean, variance } = row;
  const { unadjusted, theta, adjustedP, adjustedValidP, chanceToWin, riskOfControl, riskOfTreatment, reason } = row;
  return {
    ...{ metricId, metricKey, role, kind, variantId, variantKey, isControl, n, nonZero, mean, variance },
    slice: row.dimension === '' ? null : { dimension: row.dimension, value: row.value },
    comparison: isControl ? null : comparisonOf(row),
    ...{ unadjusted, theta, adjustedP, adjustedValidP, chanceToWin, riskOfControl, riskOfTreatment, reason },
  };
}

function comparisonOf(row: ResultRow): ArmComparison {
  return {
    absolute: {
      ...{ estimate: row.absoluteEstimate, standardError: row.absoluteStandardError },
      ...{ degreesOfFreedom: row.absoluteDegreesOfFreedom },
      ...{ lower: row.absoluteLower, upper: row.absoluteUpper, p: row.absoluteP },
      ...{ validLower: row.absoluteValidLower, validUpper: row.absoluteValidUpper, validP: row.absoluteValidP },
      reason: row.absoluteReason,
    },
    relative: {
      ...{ estimate: row.relativeEstimate, standardError: row.relativeStandardError },
      ...{ degreesOfFreedom: row.relativeDegreesOfFreedom },
      ...{ lower: row.relativeLower, upper: row.relativeUpper, p: row.relativeP },
      ...{ validLower: row.relativeValidLower, validUpper: row.relativeValidUpper, validP: row.relativeValidP },
      reason: row.relativeReason,
    },
  };
}

/** Of the control, which is compared with nothing. */
const nothing: EffectResult = {
  ...{ estimate: null, standardError: null, degreesOfFreedom: null, lower: null, upper: null, p: null },
  ...{ validLower: null, validUpper: null, validP: null, reason: null },
};
