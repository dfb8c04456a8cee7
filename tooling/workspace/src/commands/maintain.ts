import {
  assertMayWrite,
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  exitCodes,
  formatCount,
  MigrateError,
} from '@mcp-hub/migrate/repository';
import { withDatabase } from './with-database.ts';

export const maintainCommand: CommandDefinition = {
  name: 'maintain',
  summary: 'delete what retention has passed: expired idempotency keys, dead work and its events; run it daily',
  options: [
    [
      '--dead-after-days <days>',
      'delete dead work, and the events it announced, after so many days; 30 when not given',
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
  output.result(pruned);
  return pruned.failed > 0 ? exitCodes.unexpected : 0;
}

function daysOf(input: CommandInput, name: string): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text) * 86_400_000;
  throw new MigrateError('usage', 'A number of days is a whole number from 0 to 99999.', exitCodes.usage);
}
