import { dryRun } from '../dry-run.ts';
import { assertMayWrite, type DatabaseTarget, findTarget } from '../environment.ts';
import { grantRuntime } from '../grant-runtime.ts';
import { describeHolder } from '../lock.ts';
import { describeLoss } from '../losses.ts';
import { type MigrateEvent, type MigrateOptions, type MigrateReport, migrate, rangeOf } from '../migrate.ts';
import { formatCount, formatDuration, type Output } from '../output.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';
import { printDryRun } from './print-dry-run.ts';

export const migrateCommand: CommandDefinition = {
  name: 'migrate',
  summary: 'apply what is pending, in order',
  options: [
    ['--dry-run', 'print the SQL, execute it, report locks, rewrites and time, and roll back'],
    ['--from <number>', 'the first to apply; refused when something below it is missing'],
    ['--to <number>', 'the last to apply'],
  ],
  yes: 'really write to production',
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<undefined> {
  const { environment, output } = context;
  const [from, to] = [input.text('from'), input.text('to')];
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  rangeOf(range);
  if (input.flag('dryRun')) {
    const target = await findTarget(environment);
    const report = await dryRun({
      url: target.ownerUrl,
      directory: environment.directory,
      ...range,
      onEvent: (event) => printEvent(output, event),
    });
    printDryRun(output, report);
    output.result(report);
    return undefined;
  }
  assertMayWrite(environment, 'migrate', context.yes);
  const target = await findTarget(environment);
  output.result(await migrateTarget(context, target, range));
  return undefined;
}

/** Also gives the local server's service login its roles. */
export async function migrateTarget(
  { environment, output }: CommandContext,
  target: DatabaseTarget,
  range: Pick<MigrateOptions, 'from' | 'to'>,
): Promise<MigrateReport> {
  const report = await migrate({
    url: target.ownerUrl,
    directory: environment.directory,
    ...range,
    onEvent: (event) => printEvent(output, event),
  });
  if (target.local !== undefined && report.alreadyApplied + report.applied.length > 0) {
    await grantRuntime({ url: target.ownerUrl, login: decodeURIComponent(new URL(target.local.serviceUrl).username) });
  }
  if (report.applied.length === 0 && report.adopted.length === 0) {
    output.line(`Nothing to apply in ${report.database}: ${formatCount(report.alreadyApplied, 'migration')} applied.`);
  } else {
    output.line(
      `${report.applied.length} applied, ${report.alreadyApplied} were applied before, in ${report.database}.`,
    );
  }
  return report;
}

function printEvent(output: Output, event: MigrateEvent): void {
  switch (event.kind) {
    case 'warning':
      output.warn(event.message);
      break;
    case 'waiting':
      output.line(`waiting  for the migration lock, held by ${describeHolder(event.holder)}`);
      break;
    case 'adopted':
      output.line(`adopted  ${event.file}  applied by hand, the listing agrees`);
      break;
    case 'retrying': {
      const who = event.blockers.length === 0 ? '' : `; long transactions: ${event.blockers.join('; ')}`;
      output.line(
        `retrying ${event.file}  a lock was not to be had, attempt ${event.attempt} of ${event.attempts}${who}`,
      );
      break;
    }
    case 'applied': {
      const resumed = event.resumedAfter === undefined ? '' : `  (went on after statement ${event.resumedAfter})`;
      output.line(`applied  ${event.file}  ${formatDuration(event.durationMs)}${resumed}`);
      break;
    }
    case 'applying':
      for (const loss of event.losses) output.line(`         ${event.file}  ${describeLoss(loss)}`);
      break;
  }
}
