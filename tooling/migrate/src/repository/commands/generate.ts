import type { CommandContext, CommandDefinition, CommandInput } from '../../commands/command.ts';
import { describeLoss, renameOf } from '../../losses.ts';
import { generate } from '../generate.ts';
import { withScratchServer } from '../scratch-server.ts';

export const generateCommand: CommandDefinition = {
  name: 'generate',
  summary: "write the migrations that the packages' schemas ask for, tried in a scratch database",
  options: [
    ['--rename <old:new...>', 'a column (tags.value:val) or a table (labels:tags) that has another name now'],
    ['--name <what>', 'the last part of the new file names'],
    ['--custom <name>', 'begin a file to be written by hand'],
  ],
  run,
};

async function run({ environment, output }: CommandContext, input: CommandInput): Promise<undefined> {
  const what = input.text('name');
  const custom = input.text('custom');
  const report = await withScratchServer(environment, (serverUrl) =>
    generate({
      root: environment.root,
      serverUrl,
      renames: input.list('rename'),
      ...(what === undefined ? {} : { what }),
      ...(custom === undefined ? {} : { custom }),
    }),
  );
  for (const path of report.written) output.line(`written  migrations/${path}`);
  for (const path of report.removed) output.line(`removed  migrations/${path}`);
  for (const { file, ...loss } of report.losses) {
    const rename = renameOf(loss);
    output.warn(
      `${file} ${describeLoss(loss)}${rename === undefined ? '' : `; if it is a rename: npm run db:generate -- ${rename}`}`,
    );
  }
  if (report.written.length + report.removed.length === 0)
    output.line('No schema changes: the migrations are what the packages ask for.');
  output.result(report);
  return undefined;
}
