import { checkTenant } from '../check-tenant.ts';
import { assertMayWrite, findTarget } from '../environment.ts';
import { exitCodes } from '../errors.ts';
import { formatSqlResult, runSql, type SqlOutcome } from '../run-sql.ts';
import { tenantOf, urlWithSettings, warnWithoutTenant } from '../tenant-url.ts';
import type { CommandContext, CommandDefinition, CommandInput } from './command.ts';

export const sqlCommand: CommandDefinition = {
  name: 'sql',
  summary: 'run statements as the owner, with app.tenant set, and print what they give',
  arguments: [['<statements>', 'SQL, in quotes']],
  options: [['--tenant <id>', 'the tenant; DEFAULT_TENANT when not given']],
  yes: 'on production, where the statements may write',
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<number> {
  const { environment, output } = context;
  const tenant = tenantOf(environment, input.text('tenant'));
  const statements = input.arguments[0] ?? '';
  if (!isReadOnly(statements)) assertMayWrite(environment, 'sql', context.yes);
  const target = await findTarget(environment);
  await checkTenant(target.ownerUrl, tenant);
  warnWithoutTenant(output, tenant);
  const outcomes: SqlOutcome[] = [];
  const well = await runSql(urlWithSettings(target.ownerUrl, { 'app.tenant': tenant }), statements, (outcome) => {
    outcomes.push(outcome);
    if (outcome.error !== undefined) output.error(`ERROR:  ${outcome.error}`);
    else if (outcome.result !== undefined) for (const line of formatSqlResult(outcome.result)) output.line(line);
  });
  output.result({
    outcomes: outcomes.map(({ statement, result, error }) => ({ statement, error, ...toObjects(result) })),
  });
  return well ? 0 : exitCodes.unexpected;
}

/** Good enough to spare a look at production the `--yes`; the function it calls may write all the same. */
function isReadOnly(statements: string): boolean {
  return /^\s*(select|table|values|show|explain(?!\s*\(?\s*analy))\b[^;]*;?\s*$/i.test(statements);
}

function toObjects(result: SqlOutcome['result']): object {
  if (result === undefined) return {};
  const { command, count, columns, rows } = result;
  return {
    command,
    count,
    rows: rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]]))),
  };
}
