/** One figure of the simulated behaviour of experiments, with what is stated of it. */
export interface Finding {
  /** What is asked, the same for the figures of one table. */
  readonly about: string;
  /** The experiment that was simulated. */
  readonly setting: string;
  /** What was counted or averaged. */
  readonly figure: string;
  readonly value: number;
  /** Of the simulation. */
  readonly standardError: number;
  readonly repetitions: number;
  /** Within what the figure is to lie; null where it is shown for comparison alone. */
  readonly stated: Stated | null;
  /** `share` is shown in percent. */
  readonly unit: 'share' | 'units' | 'quotient';
}

export interface Stated {
  readonly words: string;
  readonly least: number;
  readonly most: number;
}

/** The share of repetitions of which something holds, with its standard error. */
export function shareOf(times: number, repetitions: number) {
  const value = times / repetitions;
  // At 0 and 1 the plain formula gives 0, as if it were certain.
  const held = (times + 0.5) / (repetitions + 1);
  return { value, standardError: Math.sqrt((held * (1 - held)) / repetitions), repetitions, unit: 'share' as const };
}

/** The mean over repetitions, with its standard error. */
export function meanOf(values: readonly number[], unit: 'units' | 'quotient' | 'share') {
  const n = values.length;
  const value = values.reduce((sum, each) => sum + each, 0) / n;
  const squares = values.reduce((sum, each) => sum + (each - value) ** 2, 0);
  return { value, standardError: Math.sqrt(squares / (n - 1) / n), repetitions: n, unit };
}

export const atMost = (most: number): Stated => ({ words: `at most ${percent(most)}`, least: 0, most });

export const atLeast = (least: number): Stated => ({ words: `at least ${percent(least)}`, least, most: 1 });

export const about = (value: number, within: number): Stated => ({
  words: `${percent(value - within)} to ${percent(value + within)}`,
  least: value - within,
  most: value + within,
});

/** Whether a figure is as stated, by less than `errors` standard errors of the simulation beyond. */
export function holds({ value, standardError, stated }: Finding, errors = 3): boolean {
  if (stated === null) return true;
  return value >= stated.least - errors * standardError && value <= stated.most + errors * standardError;
}

/** Such as 5 % or 0.1 %. */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** The findings as tables of Markdown, one a question. */
export function tablesOf(findings: readonly Finding[]): string {
  const questions = [...new Set(findings.map(({ about: question }) => question))];
  return questions
    .map((question) => {
      const rows = findings.filter((finding) => finding.about === question).map(rowOf);
      return [`### ${question}`, '', '| Experiment | Figure | Simulated | Stated |', '|---|---|---|---|', ...rows].join(
        '\n',
      );
    })
    .join('\n\n');
}

function rowOf(finding: Finding): string {
  const { setting, figure, value, standardError, stated, unit } = finding;
  const shown =
    unit === 'share'
      ? `${digits(100 * value, 100 * standardError)} ± ${digits(100 * standardError, 100 * standardError)} %`
      : `${digits(value, standardError)} ± ${digits(standardError, standardError)}`;
  const text = stated === null ? '' : `${stated.words}${holds(finding) ? '' : ': does not hold'}`;
  return `| ${setting} | ${figure} | ${shown} | ${text} |`;
}

/** As many decimals as the standard error has before its second digit. */
function digits(value: number, standardError: number): string {
  const decimals = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(standardError))));
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
