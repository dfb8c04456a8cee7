import { assertMayWrite, findTarget } from '../environment.ts';
import { maintain } from '../maintain.ts';
import { formatCount } from '../output.ts';
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
  output.line(
    `Deleted: ${formatCount(report.expiredIdempotencyKeys, 'expired idempotency key')} of ${formatCount(report.tenants, 'tenant')}.`,
  );
  output.line(`${formatCount(report.partitionedTables, 'partitioned table')}.`);
  output.result(report);
  return undefined;
}
