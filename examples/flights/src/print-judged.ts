import type { Comparison } from '@mcp-hub/evaluation';
import type { ComparedVersion } from './evaluate/compare-with-production.ts';
import type { EvaluatedVersion } from './evaluate/judge-versions.ts';
import { costs, LATE_FROM } from './evaluate/late-from.ts';
import type { GatedVersion } from './evaluate/pass-gate.ts';
import { nameClause } from './evaluate/promotion-policy.ts';
import { modelName } from './late-arrival-models.ts';
import { fixed, print } from './print-line.ts';
import type { TenantReport } from './run-tenant.ts';

/** Prints what the versions are worth on the days that were held back, and what the gate made of it. */
export function printJudged({ tour, judged }: TenantReport): void {
  const { evaluated, compared, gated, production, champion } = judged;
  print(
    'by hand',
    `version ${tour.takenBack} was promoted, and taken back: ${modelName}:production is version ${tour.afterRollback}`,
  );
  printEvaluated(evaluated);
  for (const version of evaluated) if (version.version === production) printParts(version);
  for (const version of compared) printCompared(version, tour.afterRollback);
  for (const version of gated) printGated(version);
  const same = gated.every(({ replaysTheSame }) => replaysTheSame) ? 'the same' : 'NOT THE SAME';
  print('replayed', `both decisions, from what was kept of them: ${same}`);
  print('promoted', `${modelName}:production is version ${production}, ${modelName}@champion is version ${champion}`);
}

const columns = [
  { title: '', of: ({ version }: EvaluatedVersion) => version },
  { title: 'AUC [95 %]', of: ({ metrics }: EvaluatedVersion) => withInterval(metrics.get('roc_auc')) },
  { title: 'cost a flight [95 %]', of: ({ metrics }: EvaluatedVersion) => withInterval(metrics.get('mean_cost')) },
  { title: 'cheapest from', of: ({ thresholds }: EvaluatedVersion) => fixed(thresholds.find(isCheapest)?.threshold) },
  { title: 'calib. error', of: ({ metrics }: EvaluatedVersion) => fixed(metrics.get('calibration_error')?.value) },
  { title: 'found', of: ({ confusion }: EvaluatedVersion) => String(confusion.counts[1]?.[1]) },
  { title: 'missed', of: ({ confusion }: EvaluatedVersion) => String(confusion.counts[1]?.[0]) },
  { title: 'false alarms', of: ({ confusion }: EvaluatedVersion) => String(confusion.counts[0]?.[1]) },
] as const;
const isCheapest = ({ bestCost }: { readonly bestCost: boolean }) => bestCost;

/** One row a version. The calibration error is how far probabilities are off on average; counts are of flights. */
function printEvaluated(evaluated: readonly EvaluatedVersion[]): void {
  const [first] = evaluated;
  const late = (100 * (first?.metrics.get('prevalence')?.value ?? 0)).toFixed(1);
  print(
    'held back',
    `${first?.evaluation.n} flights of March, ${late} % late; a miss costs ${costs.falseNegative} false alarms, so warn from ${LATE_FROM}`,
  );
  const cells = evaluated.map((version) => columns.map(({ of }) => of(version)));
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  print('', line(columns.map(({ title }) => title)));
  for (const [at, { isNew }] of evaluated.entries()) print(isNew ? 'evaluated' : 'was there', line(cells[at] ?? []));
}

function printParts({ version, slices, importance }: EvaluatedVersion): void {
  const worst = slices.slice(0, 3).map(({ sliceValue, value, n }) => `${sliceValue} ${fixed(value)} of ${n}`);
  print('airports', `of version ${version}, the worst AUC first: ${worst.join(', ')}; ${slices.length - 3} more`);
  const falls = importance.map(({ rank, feature, value, std }) => `${rank} ${feature} ${fixed(value)} ± ${fixed(std)}`);
  print('importance', `of version ${version}, fall of the AUC when shuffled:`);
  for (const pair of [falls.slice(0, 2), falls.slice(2)]) print('', pair.join(', '));
}

function printCompared({ version, isNew, comparisons }: ComparedVersion, production: string): void {
  for (const [at, row] of comparisons.entries()) {
    const metric = row.metric === 'roc_auc' ? 'AUC' : row.metric;
    const difference = withInterval({ ...row, value: row.difference }, true);
    print(
      at > 0 ? '' : isNew ? 'compared' : 'was there',
      `${version} with ${production}: ${metric} ${difference}, ${row.test} ${pOf(row)}: ${row.decision}`,
    );
  }
}

/** The verdict, and of a refusal each clause that failed. */
function printGated({ version, decision, isNew }: GatedVersion): void {
  const { passed, policyName, policy, results } = decision;
  const failed = results.filter((result) => !result.passed);
  const verdict = passed
    ? `passed by the gate ${policyName}: all ${results.length} clauses hold`
    : `refused by the gate ${policyName}: ${failed.length} of ${results.length} clauses fail`;
  print(isNew ? 'asked' : 'was there', `version ${version} ${verdict}`);
  for (const { clause, because } of failed) {
    const named = policy.clauses[clause];
    print('', `clause ${clause + 1}, ${named === undefined ? '' : nameClause(named)}: ${short(because)}`);
  }
}

interface Interval {
  readonly value: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

function withInterval(row: Interval | undefined, signed = false): string {
  if (row?.value == null) return 'undefined';
  const text = (value: number | null) => `${signed && (value ?? 0) >= 0 ? '+' : ''}${fixed(value)}`;
  return `${text(row.value)} [${text(row.lower)}, ${text(row.upper)}]`;
}

/** Both p values; the second is corrected for the family. */
const pOf = ({ pValue, adjustedP }: Comparison) => `p ${probability(pValue)}, adjusted ${probability(adjustedP)}`;
const probability = (p: number | null) => (p === null ? 'undefined' : p < 1e-4 ? p.toExponential(1) : fixed(p));

/** The numbers of a sentence to four places. */
const short = (text: string) => text.replaceAll(/\d+\.\d{5,}/g, (number) => fixed(number));
