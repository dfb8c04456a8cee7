import { maintainPartitions, type PartitionReport } from '@mcp-hub/migrate';
import {
  assertMayWrite,
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  exitCodes,
  findTarget,
  formatCount,
  MigrateError,
  type Output,
} from '@mcp-hub/migrate/repository';
import { withDatabase } from './with-database.ts';

export const maintainCommand: CommandDefinition = {
  name: 'maintain',
  summary:
    'make partitions ahead and empty the default ones, delete what retention has passed: months of tables by time, expired idempotency keys, dead work and its events; run it daily',
  options: [
    [
      '--dead-after-days <days>',
      'delete dead work, and the events it announced, after so many days; 30 when not given',
    ],
    ['--months-ahead <months>', 'how many months after this one get their partitions; 3 when not given'],
    [
      '--drop-after-days <rules>',
      'drop the months of a table so many days after they ended, for all tenants: ml_telemetry_events=400, several by commas; never when not given',
    ],
    ['--undelivered-after-days <days>', 'delete events that nobody delivered after so many days; never when not given'],
  ],
  yes: 'really write to production',
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<number> {
  const { environment, output } = context;
  assertMayWrite(environment, 'maintain', context.yes);
  const deadAfterMs = daysOf(input, 'deadAfterDays');
  const undeliveredAfterMs = daysOf(input, 'undeliveredAfterDays');
  const monthsAhead = wholeNumberOf(input.text('monthsAhead'), 'A number of months');
  const dropAfterDays = rulesOf(input.text('dropAfterDays'));
  const { ownerUrl } = await findTarget(environment);
  const partitions = await maintainPartitions({
    url: ownerUrl,
    ...(monthsAhead === undefined ? {} : { monthsAhead }),
    ...(dropAfterDays === undefined ? {} : { dropAfterDays }),
  });
  describePartitions(output, partitions);
  const pruned = await withDatabase(context, (db, { pruneTenants }) =>
    pruneTenants(db, {
      ...(deadAfterMs === undefined ? {} : { deadAfterMs }),
      ...(undeliveredAfterMs === undefined ? {} : { undeliveredAfterMs }),
    }),
  );
  output.line(
    `Deleted: ${formatCount(pruned.idempotencyKeys, 'expired idempotency key')}, ${formatCount(pruned.outboxEvents, 'outbox event')}, ${formatCount(pruned.workRows, 'row')} of dead work.`,
  );
  output.line(`${formatCount(pruned.tenants, 'tenant')} had something to look at.`);
  if (pruned.failed > 0) output.error(`${formatCount(pruned.failed, 'tenant')} failed; the next run tries again.`);
  output.result({ ...pruned, partitions });
  return pruned.failed > 0 || partitions.busy.length > 0 ? exitCodes.unexpected : 0;
}

function describePartitions(output: Output, { made, dropped, movedRows, deletedRows, busy }: PartitionReport): void {
  if (made.length > 0) output.line(`Made: ${made.join(', ')}.`);
  if (movedRows > 0) output.line(`Moved there: ${formatCount(movedRows, 'row')} of default partitions.`);
  if (dropped.length > 0) output.line(`Dropped: ${dropped.join(', ')}.`);
  if (deletedRows > 0) output.line(`Deleted of default partitions: ${formatCount(deletedRows, 'row')} as old.`);
  for (const { reason } of busy) output.error(`${reason}\nThe next run tries again.`);
}

/** `ml_telemetry_events=400,predictions=30` */
function rulesOf(text: string | undefined): Readonly<Record<string, number>> | undefined {
  if (text === undefined) return undefined;
  const rules = text.split(',').map((rule) => {
    const [, table, days] = /^\s*(\w+)=(\d{1,5})\s*$/.exec(rule) ?? [];
    if (table !== undefined && days !== undefined) return [table, Number(days)] as const;
    throw new MigrateError(
      'usage',
      'What is dropped is named as TABLE=DAYS, such as ml_telemetry_events=400; several by commas.',
      exitCodes.usage,
    );
  });
  return Object.fromEntries(rules);
}

function wholeNumberOf(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw new MigrateError('usage', `${what} is a whole number from 0 to 99.`, exitCodes.usage);
}

function daysOf(input: CommandInput, name: string): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text) * 86_400_000;
  throw new MigrateError('usage', 'A number of days is a whole number from 0 to 99999.', exitCodes.usage);
}
