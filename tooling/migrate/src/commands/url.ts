import { findTarget } from '../environment.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';

export const urlCommand: CommandDefinition = {
  name: 'url',
  summary: "print the owner's URL with its password, for another program",
  options: [['--service', 'the service login instead']],
  run,
};

async function run({ environment, output }: CommandContext, input: CommandInput): Promise<number> {
  const target = await findTarget(environment);
  const url = input.flag('service') ? target.serviceUrl : target.ownerUrl;
  output.result({ ownerUrl: target.ownerUrl, serviceUrl: target.serviceUrl });
  if (url === undefined) {
    output.warn('POSTGRES_SERVICE_URL is not set.');
    return 2;
  }
  output.line(url);
  return 0;
}
