import type { CommandContext, CommandDefinition } from '../../commands/command.ts';
import { release } from '../release.ts';

export const releaseCommand: CommandDefinition = {
  name: 'release',
  summary: 'mark every migration released, once the chain has been reviewed: none may change after that',
  without: ['env'],
  run,
};

async function run({ environment, output }: CommandContext): Promise<undefined> {
  const report = await release({ root: environment.root });
  for (const file of report.released) output.line(`released ${file}`);
  output.line(`${report.released.length} released, ${report.alreadyReleased} were released before.`);
  output.result(report);
  return undefined;
}
