import { findTarget } from '../environment.ts';
import { exitCodes } from '../errors.ts';
import { formatVerifyReport } from '../verify/format-report.ts';
import { verify } from '../verify/verify.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';

export const verifyCommand: CommandDefinition = {
  name: 'verify',
  summary: 'hold the rules of tenant isolation against the live database; ends with 5 when one is broken',
  options: [['--summary', 'only the rules that are broken, and the sum']],
  run,
};

async function run({ environment, output }: CommandContext, input: CommandInput): Promise<number> {
  const target = await findTarget(environment);
  const report = await verify({ url: target.ownerUrl, directory: environment.directory });
  for (const line of formatVerifyReport(report, { holding: !input.flag('summary') })) output.line(line);
  output.result(report);
  return report.ok ? 0 : exitCodes.differences;
}
