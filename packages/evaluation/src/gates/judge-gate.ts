import { higherIsBetter } from '../metric-direction.ts';
import { actorIdentity } from './actor-identity.ts';
import type { ComparisonInput, GateInputs, MetricInput } from './gate-inputs.ts';
import type { GateClause, GatePolicy } from './gate-policy.ts';

/** What became of one clause, with the numbers that it was judged by. */
export interface ClauseResult {
  /** Its place in the policy, from 0. */
  readonly clause: number;
  readonly kind: GateClause['kind'];
  readonly passed: boolean;
  /** In words, with the numbers. */
  readonly because: string;
  readonly numbers: Readonly<Record<string, number | string | null>>;
}

export interface GateVerdict {
  readonly passed: boolean;
  readonly results: readonly ClauseResult[];
}

/** Judges what was read by a policy: passed where every clause is. Pure: the same inputs always give the same verdict. */
export function judgeGate(policy: GatePolicy, inputs: GateInputs): GateVerdict {
  const results = policy.clauses.map(
    (clause, at): ClauseResult => ({
      clause: at,
      kind: clause.kind,
      ...judgeClause(clause, inputs),
    }),
  );
  return { passed: results.every(({ passed }) => passed), results };
}

type Judged = Pick<ClauseResult, 'passed' | 'because' | 'numbers'>;

function judgeClause(clause: GateClause, inputs: GateInputs): Judged {
  switch (clause.kind) {
    case 'metric':
      return judgeMetric(clause, inputs);
    case 'slices':
      return judgeSlices(clause, inputs);
    case 'comparison':
      return judgeComparison(clause, inputs);
    case 'approvals':
      return judgeApprovals(clause, inputs);
    case 'freshness':
      return judgeFreshness(clause, inputs);
  }
}

type Of<Kind extends GateClause['kind']> = Extract<GateClause, { readonly kind: Kind }>;

const refused = (because: string, numbers: Judged['numbers'] = {}): Judged => ({ passed: false, because, numbers });
const noEvaluation = () => refused('There is no evaluation of the version on the rows that the policy names.');

interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** JSON has no NaN and no infinity: a row that was written by hand with one reads as text, which JavaScript compares. */
const isNumber = (value: number | null): value is number => Number.isFinite(value);

const boundsOf = ({ min, max }: Bounds) => ({
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});
const isWithin = (low: number, high: number, { min, max }: Bounds) =>
  (min === undefined || low >= min) && (max === undefined || high <= max);
const boundText = ({ min, max }: Bounds) =>
  [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`].filter(Boolean).join(' and ');

function judgeMetric(clause: Of<'metric'>, { evaluation, metrics }: GateInputs): Judged {
  if (evaluation === null) return noEvaluation();
  const found = metrics.find((row) => isOf(row, clause) && row.sliceFeature === '');
  if (found === undefined) return refused(`The evaluation has no ${clause.metric}.`);
  if (found.value === null) return refused(`${clause.metric} is undefined: ${found.reason}`);
  const { value, lower, upper, n } = found;
  if (!isNumber(value)) return refused(`${clause.metric} is no finite number, which no bound holds.`);
  const { minRows = 1 } = clause;
  if (n < minRows) return refused(`The evaluation is of ${n} rows and has to be of ${minRows}.`, { n, minRows });
  if (clause.byInterval === true && !(isNumber(lower) && isNumber(upper))) {
    return refused(`${clause.metric} has no interval.`, { value, ...boundsOf(clause) });
  }
  const [low, high] = clause.byInterval === true ? [lower ?? value, upper ?? value] : [value, value];
  const passed = isWithin(low, high, clause);
  const shown = clause.byInterval === true ? `${value} [${lower}, ${upper}]` : `${value}`;
  return {
    passed,
    because: `${clause.metric} is ${shown} and has to be ${boundText(clause)}.`,
    numbers: { value, lower, upper, ...boundsOf(clause) },
  };
}

function judgeSlices(clause: Of<'slices'>, { evaluation, metrics }: GateInputs): Judged {
  if (evaluation === null) return noEvaluation();
  const { minSliceRows, slicesLeftOut } = evaluation;
  if (minSliceRows !== null && minSliceRows > clause.minRows && slicesLeftOut !== 0) {
    return refused(
      `The evaluation left out slices of fewer than ${minSliceRows} rows, and those of ${clause.minRows} count.`,
      { minSliceRows, slicesLeftOut, minRows: clause.minRows },
    );
  }
  const slices = metrics.filter(
    (row) => isOf(row, clause) && row.sliceFeature === clause.feature && row.n >= clause.minRows,
  );
  if (slices.length === 0)
    return refused(`No slice by ${clause.feature} has ${clause.minRows} rows and ${clause.metric}.`);
  const failed = slices.filter(({ value }) => !isNumber(value) || !isWithin(value, value, clause));
  const sign = higherIsBetter(clause.metric) ? 1 : -1;
  const badness = ({ value }: MetricInput) => (isNumber(value) ? sign * value : -Infinity);
  const [worst] = (failed.length > 0 ? failed : slices).toSorted((a, b) => badness(a) - badness(b));
  const numbers = {
    ...{ slices: slices.length, failed: failed.length, worstSlice: worst?.sliceValue ?? null },
    ...{ worstValue: worst?.value ?? null, ...boundsOf(clause) },
  };
  return {
    passed: failed.length === 0,
    because: `${failed.length} of ${slices.length} slices by ${clause.feature} fail: ${clause.metric} of ${worst?.sliceValue} is ${worst?.value} and has to be ${boundText(clause)}.`,
    numbers,
  };
}

const isOf = (row: MetricInput, { metric, classLabel = '' }: { metric: string; classLabel?: string | undefined }) =>
  row.metric === metric && row.classLabel === classLabel;

function judgeComparison(clause: Of<'comparison'>, { production, comparisons }: GateInputs): Judged {
  if (production === null) {
    const passed = clause.allowFirst ?? true;
    return { passed, because: 'No other version is in production.', numbers: {} };
  }
  const found = comparisons.find(({ test, metric }) => test === clause.test && metric === clause.metric);
  if (found === undefined) {
    return refused(`There is no ${clause.test} of ${clause.metric} with the version in production on these rows.`);
  }
  const { difference, adjustedP } = found;
  const { margin = 0, alpha = 0.05 } = clause;
  const numbers = { difference, lower: found.lower, upper: found.upper, adjustedP, margin, alpha };
  if (!isNumber(difference)) return refused('The comparison left the difference undefined.', numbers);
  return clause.relation === 'superior'
    ? superior(found, difference, margin, alpha, numbers)
    : nonInferior(found, margin, alpha, numbers);
}

function superior(
  { adjustedP, higherIsBetter: higher }: ComparisonInput,
  difference: number,
  margin: number,
  alpha: number,
  numbers: Judged['numbers'],
): Judged {
  const gain = higher ? difference : -difference;
  return {
    passed: isNumber(adjustedP) && adjustedP <= alpha && gain > margin,
    because: `It is better by ${gain} with an adjusted p of ${adjustedP}, and has to be by more than ${margin} with at most ${alpha}.`,
    numbers,
  };
}

function nonInferior(found: ComparisonInput, margin: number, alpha: number, numbers: Judged['numbers']): Judged {
  const end = found.higherIsBetter ? found.lower : found.upper;
  if (!isNumber(end)) return refused('The comparison has no interval.', numbers);
  if (!(found.confidence >= 1 - alpha)) {
    return refused(`The interval is of level ${found.confidence} and has to be of ${1 - alpha}.`, numbers);
  }
  const worse = found.higherIsBetter ? -end : end;
  return {
    passed: worse < margin,
    because: `It could be worse by ${Math.max(0, worse)}, and that has to be less than ${margin}.`,
    numbers,
  };
}

function judgeApprovals(clause: Of<'approvals'>, { approvals, author }: GateInputs): Judged {
  if (clause.exceptAuthor === true && author === null) {
    return refused('Nobody is known to have registered the version, so that its author cannot be left out.');
  }
  const isAuthor = (actor: string) => author !== null && actorIdentity(actor) === actorIdentity(author);
  const counted = approvals.filter(({ actor }) => clause.exceptAuthor !== true || !isAuthor(actor));
  return {
    passed: counted.length >= clause.actors,
    because: `${counted.length} actors approve, and ${clause.actors} have to.`,
    numbers: { approvals: counted.length, needed: clause.actors },
  };
}

function judgeFreshness({ maxAgeHours }: Of<'freshness'>, { evaluation, decidedAt }: GateInputs): Judged {
  if (evaluation === null) return noEvaluation();
  const ageHours = (Date.parse(decidedAt) - Date.parse(evaluation.createdAt)) / 3_600_000;
  return {
    passed: ageHours <= maxAgeHours,
    because: `The evaluation is ${ageHours} hours old, and may be ${maxAgeHours}.`,
    numbers: { ageHours, maxAgeHours },
  };
}
