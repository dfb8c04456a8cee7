import type { AnalysisInput } from '../../src/index.ts';

export interface Exposed {
  readonly unit: string;
  readonly variant: string;
  readonly at: Date;
  readonly slices: Readonly<Record<string, string>>;
}

export interface Happened {
  readonly id: string;
  readonly unit: string;
  readonly outcome: string;
  readonly at: Date;
  readonly value: number;
}

export interface Assigned {
  readonly unit: string;
  readonly variant: string;
  readonly forced: boolean;
  readonly at: Date;
}

export interface CountedMetric {
  readonly kind: 'mean' | 'proportion' | 'ratio' | 'quantile';
  readonly outcome: string;
  readonly denominator?: string;
  readonly quantile?: number;
  readonly delayMs?: number;
  readonly windowMs?: number;
  readonly cupedMs?: number;
}

export interface Recorded {
  readonly exposures: readonly Exposed[];
  readonly outcomes: readonly Happened[];
  readonly assignments: readonly Assigned[];
}

interface UnitValues {
  readonly unit: string;
  readonly variant: string;
  readonly day: string;
  readonly slices: Readonly<Record<string, string>>;
  /** By metric; null without an outcome. */
  readonly y: readonly (number | null)[];
  readonly x: readonly number[];
}

export interface ExpectedInput
  extends Pick<AnalysisInput, 'units' | 'multipleUnits' | 'forcedUnits' | 'exposedBeforeAssignment' | 'outcomes'> {
  readonly counted: readonly UnitValues[];
}

/** What is counted as of a time, unit by unit, as the rules say it. */
export function expectedInput(all: Recorded, metrics: readonly CountedMetric[], asOf: Date): ExpectedInput {
  const exposures = all.exposures.filter(({ at }) => at < asOf);
  const outcomes = all.outcomes.filter(({ at }) => at < asOf);
  const units = [...new Set(exposures.map(({ unit }) => unit))];
  const counted: UnitValues[] = [];
  const outcomesThatCount = new Set<string>();
  let [multipleUnits, forcedUnits, exposedBeforeAssignment] = [0, 0, 0];
  for (const unit of units) {
    const own = exposures.filter((exposure) => exposure.unit === unit);
    const first = own.reduce((one, other) => (other.at < one.at ? other : one));
    const assignment = all.assignments.find((assigned) => assigned.unit === unit);
    if (assignment?.forced === true) {
      forcedUnits += 1;
      continue;
    }
    if (assignment !== undefined && assignment.at > first.at) exposedBeforeAssignment += 1;
    if (new Set(own.map(({ variant }) => variant)).size > 1) {
      multipleUnits += 1;
      continue;
    }
    const within = (name: string, from: number, to: number) =>
      outcomes.filter(({ unit: of, outcome, at }) => {
        const after = at.getTime() - first.at.getTime();
        return of === unit && outcome === name && after >= from && after < to;
      });
    const valueOf = (kind: CountedMetric['kind'], found: readonly Happened[]) =>
      kind === 'proportion' ? Math.min(1, found.length) : exactSum(found.map(({ value }) => value));
    const y: (number | null)[] = [];
    const x: number[] = [];
    for (const { kind, outcome, denominator, delayMs = 0, windowMs = Number.POSITIVE_INFINITY, cupedMs } of metrics) {
      const found = within(outcome, delayMs, delayMs + windowMs);
      const below = denominator === undefined ? [] : within(denominator, delayMs, delayMs + windowMs);
      for (const { id } of [...found, ...below]) outcomesThatCount.add(id);
      y.push(found.length === 0 ? null : valueOf(kind, found));
      const before = cupedMs === undefined || kind === 'quantile' ? [] : within(outcome, -cupedMs, 0);
      x.push(kind === 'ratio' ? valueOf(kind, below) : valueOf(kind, before));
    }
    counted.push({
      unit,
      variant: first.variant,
      day: first.at.toISOString().slice(0, 10),
      slices: first.slices,
      y,
      x,
    });
  }
  return {
    units: units.length,
    multipleUnits,
    forcedUnits,
    exposedBeforeAssignment,
    outcomes: outcomesThatCount.size,
    counted,
  };
}

/** Of the decimals that the values are written as: 1e100, 5 and -1e100 come to 5, which a sum of floats loses. */
function exactSum(values: readonly number[]): number {
  const digits = 400;
  const scaled = values.map((value) => {
    const [, sign = '', whole = '', part = '', exponent = '0'] =
      /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential()) ?? [];
    const magnitude = BigInt(whole + part) * 10n ** BigInt(digits + Number(exponent) - part.length);
    return sign === '-' ? -magnitude : magnitude;
  });
  return Number(`${scaled.reduce((sum, value) => sum + value, 0n)}e-${digits}`);
}
