import { baseline } from '../baseline.ts';
import { assertMayWrite, findTarget } from '../environment.ts';
import { describeHolder } from '../lock.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';

export const baselineCommand: CommandDefinition = {
  name: 'baseline',
  summary: 'record the files up to a number as applied, in a database that holds them already',
  arguments: [['<number>', 'the last file that the database holds, as in 005']],
  yes: 'really write to production',
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<undefined> {
  const { environment, output } = context;
  assertMayWrite(environment, 'baseline', context.yes);
  const target = await findTarget(environment);
  const report = await baseline({
    url: target.ownerUrl,
    directory: environment.directory,
    upTo: input.arguments[0] ?? '',
    onWait: (holder) => output.line(`waiting  for the migration lock, held by ${describeHolder(holder)}`),
  });
  for (const file of report.recorded) output.line(`recorded ${file}`);
  output.line(
    `${report.recorded.length} recorded, ${report.alreadyApplied.length} were applied before, in ${report.database}.`,
  );
  output.result(report);
  return undefined;
}
