import type { DryRunFile, DryRunReport } from '../dry-run.ts';
import { describeLoss, findLosses } from '../losses.ts';
import { formatCount, formatDuration, type Output } from '../output.ts';

/** The SQL, and the report as SQL comments below each file, so that the whole can be kept as one SQL file. */
export function printDryRun(output: Output, report: DryRunReport): void {
  for (const file of report.adopted)
    output.line(`-- ${file} was applied by hand; the listing agrees, a run would record it.`);
  for (const file of report.files) {
    output.line(`-- ${file.file}`);
    output.line(file.sql.trimEnd());
    for (const line of describeFile(file)) output.line(`-- ${line}`);
    output.line();
  }
  if (report.files.filter((file) => file.locks.length > 0).length > 1) {
    output.line(
      '-- All files ran in one transaction: a lock that an earlier file holds is reported there and not again.',
    );
  }
  output.line(
    report.files.length === 0
      ? `-- Nothing to apply in ${report.database}: ${formatCount(report.alreadyApplied, 'migration')} applied.`
      : `-- ${formatCount(report.files.length, 'file')} to apply to ${report.database}; everything was rolled back.`,
  );
}

function describeFile(file: DryRunFile): readonly string[] {
  const losses = findLosses(file.sql).map((loss) => `${file.file} ${describeLoss(loss)}`);
  if (!file.executed) {
    return [...losses, `${file.file}: not executed, it says -- no-transaction and could not be rolled back.`];
  }
  const locks = file.locks.map(({ relation, mode, blocks }) => `${lockName(mode)} on ${relation} (blocks ${blocks})`);
  const rewritten = file.rewritten.map(({ relation, bytes }) => `${relation} (${formatBytes(bytes)})`);
  const rows = file.rows.map(({ relation, inserted, updated, deleted }) => {
    const parts = [
      ...(inserted === 0 ? [] : [`${inserted} inserted`]),
      ...(updated === 0 ? [] : [`${updated} updated`]),
      ...(deleted === 0 ? [] : [`${deleted} deleted`]),
    ];
    return `${relation}: ${parts.join(', ')}`;
  });
  return [
    ...losses,
    `${file.file}: ${formatDuration(file.durationMs ?? 0)}`,
    `locks on relations that existed before: ${locks.length === 0 ? 'none' : locks.join('; ')}`,
    `rewritten: ${rewritten.length === 0 ? 'none' : rewritten.join('; ')}`,
    ...(rows.length === 0 ? [] : [`rows: ${rows.join('; ')}`]),
  ];
}

/** `AccessExclusiveLock` is `ACCESS EXCLUSIVE` in SQL. */
function lockName(mode: string): string {
  return mode
    .replace(/Lock$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}

function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} bytes`;
  if (bytes < 1_048_576) return `${Math.round(bytes / 1_024)} kB`;
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
