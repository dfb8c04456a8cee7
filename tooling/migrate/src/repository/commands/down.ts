import { stopLocalServer } from '@mcp-hub/postgres';
import type { CommandContext, CommandDefinition } from '../../commands/command.ts';
import { assertNotProduction } from '../../environment.ts';

export const downCommand: CommandDefinition = {
  name: 'down',
  summary: 'stop the local server; its data stays',
  run,
};

async function run({ environment, output }: CommandContext): Promise<undefined> {
  assertNotProduction(environment, 'down');
  const stopped = await stopLocalServer({ root: environment.root });
  output.line(
    stopped ? 'The local server was stopped. Its data stays; db:up starts it again.' : 'No local server runs.',
  );
  output.result({ stopped });
  return undefined;
}
