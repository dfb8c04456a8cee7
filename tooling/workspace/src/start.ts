import { runRepositoryCli } from '@mcp-hub/migrate/repository';
import { maintainCommand } from './commands/maintain.ts';
import { root, runOnDatabase } from './run-on-database.ts';

// `npm start`: a server, the migrations, the example, and the proof that tenants are apart. Each part is a command of
// its own too; run again, each finds what is there.

async function main(): Promise<number> {
  for (const command of [['up', '--brief'], ['migrate'], ['maintain']]) {
    const code = await titled(`db:${command[0]}`, () => runRepositoryCli(command, undefined, [maintainCommand]));
    if (code !== 0) return code;
  }
  const example = await titled('examples/flights', () =>
    runOnDatabase(`${root}/examples/flights/src/main.ts`, process.argv.slice(2)),
  );
  if (example !== 0) return example;
  const verified = await titled('db:verify', () => runRepositoryCli(['verify', '--summary']));
  if (verified !== 0) return verified;
  console.log(`
Look:  npm run db:studio -- --tenant heartland     the tables of one tenant in a browser
       npm run db:sql -- --tenant coast "select name, version, stage from model_registry"
       npm run db:psql -- --tenant coast           the same in psql
Stop:  npm run db:down                             the data stays; npm run db:reset makes it new`);
  return 0;
}

async function titled(title: string, work: () => Promise<number>): Promise<number> {
  console.log(`\n▸ ${title}`);
  return await work();
}

process.exitCode = await main();
