import type { CommandContext, CommandDefinition, CommandInput } from '../../commands/command.ts';
import { assertNotProduction, findTarget } from '../../environment.ts';
import { formatCount, formatDuration } from '../../output.ts';
import { type RollbackReport, rollback } from '../rollback.ts';
import { withScratchServer } from '../scratch-server.ts';

export const rollbackCommand: CommandDefinition = {
  name: 'rollback',
  summary: 'write the migration that takes another one back, and apply it',
  arguments: [['<number>', 'the migration to take back, as in 010']],
  options: [
    ['--dry-run', 'print it; write and apply nothing'],
    ['--with-dependents', 'take back, too, the later migrations that depend on it'],
  ],
  yes: 'really drop tables that hold rows',
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<undefined> {
  const { environment, output } = context;
  assertNotProduction(environment, 'rollback');
  const target = await findTarget(environment);
  const dryRun = input.flag('dryRun');
  const report = await withScratchServer(environment, (serverUrl) =>
    rollback({
      root: environment.root,
      migration: input.arguments[0] ?? '',
      serverUrl,
      liveUrl: target.ownerUrl,
      withDependents: input.flag('withDependents'),
      dryRun,
      loseRows: context.yes,
    }),
  );
  if (dryRun) output.line(`-- ${report.file}\n${report.sql.trimEnd()}`);
  else if (report.written) output.line(`written  migrations/${report.file}`);
  for (const entry of report.applied?.applied ?? [])
    output.line(`applied  ${entry.file}  ${formatDuration(entry.durationMs)}`);
  const comment = dryRun ? '-- ' : '';
  output.line(`${comment}Takes back ${report.rollsBack.join(', ')}; ${tables(report)}.`);
  for (const warning of report.warnings) output.warn(warning);
  output.line(dryRun ? '-- Nothing was written or applied.' : report.wayBack);
  output.result(report);
  return undefined;
}

function tables({ droppedTables, lostRows }: RollbackReport): string {
  if (droppedTables.length === 0) return 'no table goes';
  const rows = new Map(lostRows.map((lost) => [lost.table, ` (${formatCount(lost.rows, 'row')})`]));
  const names = droppedTables.map((table) => `${table}${rows.get(table) ?? ''}`);
  return `these tables go with all their rows: ${names.join(', ')}`;
}
