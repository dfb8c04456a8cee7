// A command of the database: `node scripts/db.js migrate --dry-run`, which is `pnpm db:migrate --dry-run`.
import { runProgram } from './run.js';

process.exitCode = await runProgram('tooling/workspace/src/db.ts', process.argv.slice(2));
