import type { CommandContext, CommandDefinition } from '../../commands/command.ts';
import { type Environment, findTarget } from '../../environment.ts';
import { exitCodes, MigrateError } from '../../errors.ts';
import { formatCount } from '../../output.ts';
import { check } from '../check.ts';
import type { CheckProblem } from '../check-report.ts';
import { withScratchServer } from '../scratch-server.ts';

export const checkCommand: CommandDefinition = {
  name: 'check',
  summary: 'compare schemas, migrations and the live database; ends with 5 when they differ',
  run,
};

async function run({ environment, output }: CommandContext): Promise<number> {
  const liveUrl = await findLiveUrl(environment);
  const report = await withScratchServer(environment, (serverUrl) =>
    check({ root: environment.root, serverUrl, ...(liveUrl === undefined ? {} : { liveUrl }) }),
  );
  for (const problem of report.problems) for (const line of describeProblem(problem)) output.line(line);
  output.line(
    `${report.ok ? 'They agree' : formatCount(report.problems.length, 'difference')}. Compared: ${report.compared.join(', ')}` +
      `${liveUrl === undefined ? ' (no live database: POSTGRES_URL is not set and no local server runs)' : ''}.`,
  );
  output.result(report);
  return report.ok ? 0 : exitCodes.differences;
}

/** Without a live database the other comparisons are made. */
async function findLiveUrl(environment: Environment): Promise<string | undefined> {
  try {
    return (await findTarget(environment)).ownerUrl;
  } catch (error) {
    if (error instanceof MigrateError && error.code === 'missing_url' && environment.name === undefined)
      return undefined;
    throw error;
  }
}

const mostLines = 30;

function describeProblem(problem: CheckProblem): readonly string[] {
  const lines = [...problem.missing.map((line) => `  - ${line}`), ...problem.unexpected.map((line) => `  + ${line}`)];
  const rest = lines.length - mostLines;
  return [
    `${problem.comparison}: ${problem.message}`,
    ...lines.slice(0, mostLines),
    ...(rest > 0 ? [`  … and ${rest} more`] : []),
  ];
}
