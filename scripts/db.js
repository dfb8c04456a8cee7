// A command of the database: `node scripts/db.js migrate --dry-run`, which is `npm run db:migrate -- --dry-run`.
import { describeTakenByNpm } from './npm-options.js';
import { runProgram } from './run.js';

const parameters = process.argv.slice(2);
const taken = describeTakenByNpm(parameters.slice(1));
if (taken === undefined) {
  process.exitCode = await runProgram('tooling/workspace/src/db.ts', parameters);
} else {
  console.error(`error: ${taken}`);
  process.exitCode = 2;
}
