import { findTarget } from '../environment.ts';
import { exitCodes } from '../errors.ts';
import { formatVerifyReport } from '../verify/format-report.ts';
import { verify } from '../verify/verify.ts';
import type { CommandContext, CommandDefinition } from './command.ts';

export const verifyCommand: CommandDefinition = {
  name: 'verify',
  summary: 'hold the rules of tenant isolation against the live database; ends with 5 when one is broken',
  run,
};

async function run({ environment, output }: CommandContext): Promise<number> {
  const target = await findTarget(environment);
  const report = await verify({ url: target.ownerUrl, directory: environment.directory });
  for (const line of formatVerifyReport(report)) output.line(line);
  output.result(report);
  return report.ok ? 0 : exitCodes.differences;
}
