import { assertMayWrite, findTarget } from '../environment.ts';
import { grantRuntime } from '../grant-runtime.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';

export const grantRuntimeCommand: CommandDefinition = {
  name: 'grant-runtime',
  summary: 'make a login a member of the roles that services run as',
  arguments: [['<login>', 'a login that exists and owns nothing']],
  yes: 'really write to production',
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<undefined> {
  const { environment, output } = context;
  const login = input.arguments[0] ?? '';
  assertMayWrite(environment, 'grant-runtime', context.yes);
  const target = await findTarget(environment);
  const report = await grantRuntime({ url: target.ownerUrl, login });
  const roles = [...report.granted, ...report.alreadyMember].sort().join(', ');
  output.line(`${login} is a member of ${roles}${report.granted.length === 0 ? ', as before' : ''}.`);
  output.result(report);
  return undefined;
}
