import { assertMayWrite, findTarget } from '../environment.ts';
import { maintain } from '../maintain.ts';
import type { CommandContext, CommandDefinition } from './command.ts';

export const maintainCommand: CommandDefinition = {
  name: 'maintain',
  summary: 'delete what its retention has passed; to be run daily',
  run,
};

async function run(context: CommandContext): Promise<undefined> {
  const { environment, output } = context;
  assertMayWrite(environment, 'maintain', context.yes);
  const target = await findTarget(environment);
  const report = await maintain({ url: target.ownerUrl });
  output.line(`${report.expiredIdempotencyKeys} expired idempotency keys of ${report.tenants} tenants were deleted.`);
  output.line(`${report.partitionedTables} partitioned tables.`);
  output.result(report);
  return undefined;
}
