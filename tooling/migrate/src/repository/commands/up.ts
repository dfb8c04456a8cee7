import { parsePostgresMajor, startLocalServer } from '@mcp-hub/postgres';
import type { CommandContext, CommandDefinition, CommandInput } from '../../commands/command.ts';
import { openSession } from '../../connection.ts';
import { variableOf } from '../../environment.ts';

export const upCommand: CommandDefinition = {
  name: 'up',
  summary: 'start the local server unless POSTGRES_URL names one, and print both URLs with their passwords',
  options: [['--brief', 'leave out what comes next']],
  run,
};

async function run({ environment, output }: CommandContext, input: CommandInput): Promise<undefined> {
  const given = variableOf(environment, 'POSTGRES_URL');
  if (given !== undefined) {
    const session = await openSession(given, { allowPrivileged: true, onWarning: (message) => output.warn(message) });
    await session.end();
    const serviceUrl = variableOf(environment, 'POSTGRES_SERVICE_URL');
    output.line(
      `POSTGRES_URL is set${environment.file === undefined ? '' : ` (${environment.file})`} and its server answers; nothing was started.`,
    );
    output.line(`POSTGRES_URL=${given}`);
    if (serviceUrl !== undefined) output.line(`POSTGRES_SERVICE_URL=${serviceUrl}`);
    output.result({ started: false, local: false, ownerUrl: given, serviceUrl });
    return undefined;
  }
  const wanted = variableOf(environment, 'PG_MAJOR');
  const server = await startLocalServer({
    root: environment.root,
    ...(wanted === undefined ? {} : { major: parsePostgresMajor(wanted) }),
  });
  output.line(
    `PostgreSQL ${server.major} ${server.started ? 'was started' : 'is running'} on 127.0.0.1:${server.port}, data in ${server.dataDirectory}`,
  );
  output.line(`POSTGRES_URL=${server.ownerUrl}`);
  output.line(`POSTGRES_SERVICE_URL=${server.serviceUrl}`);
  if (!input.flag('brief')) output.line('Next: npm run db:migrate. To stop it: npm run db:down.');
  output.result({
    started: server.started,
    local: true,
    major: server.major,
    port: server.port,
    dataDirectory: server.dataDirectory,
    ownerUrl: server.ownerUrl,
    serviceUrl: server.serviceUrl,
  });
  return undefined;
}
