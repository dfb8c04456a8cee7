import { findTarget } from '../environment.ts';
import { exitCodes } from '../errors.ts';
import { describeHolder } from '../lock.ts';
import { formatDuration, formatTable } from '../output.ts';
import type { MigrationState } from '../plan.ts';
import { readStatus, type StatusEntry } from '../status.ts';
import type { CommandContext, CommandDefinition } from './command.ts';

export const statusCommand: CommandDefinition = {
  name: 'status',
  summary: 'what is applied and what is pending; ends with 3 when migrate would refuse',
  run,
};

async function run({ environment, output }: CommandContext): Promise<number> {
  const target = await findTarget(environment);
  const report = await readStatus({ url: target.ownerUrl, directory: environment.directory });
  for (const warning of report.warnings) output.warn(warning);
  for (const line of formatTable(report.entries.map(toRow))) output.line(line);
  const count = (...states: readonly MigrationState[]): number =>
    report.entries.filter(({ state }) => states.includes(state)).length;
  const rolledBack = count('rolled_back');
  output.line(
    `${count('applied', 'by_hand')} applied, ${count('pending', 'unfinished')} pending` +
      `${rolledBack === 0 ? '' : `, ${rolledBack} rolled back`} in ${report.database}.`,
  );
  if (report.running !== undefined) output.line(`A run is at work: ${describeHolder(report.running)}.`);
  for (const problem of report.problems) output.line(problem.message);
  output.result(report);
  return report.problems.length === 0 ? 0 : exitCodes.refused;
}

const stateTexts = {
  applied: 'applied',
  by_hand: 'by hand',
  rolled_back: 'rolled back',
  unfinished: 'unfinished',
  pending: 'pending',
  missing: 'file missing',
} as const;

function toRow(entry: StatusEntry): readonly string[] {
  const done = entry.statementsDone === undefined ? '' : `, ${entry.statementsDone} statements done`;
  return [
    entry.file,
    `${stateTexts[entry.state]}${done}`,
    entry.executedAt?.toISOString() ?? '',
    entry.durationMs === undefined ? '' : formatDuration(entry.durationMs),
    entry.released ? 'released' : '',
  ];
}
