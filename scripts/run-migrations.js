// The command of the first version, kept: `node scripts/run-migrations.js [--dry-run] [--from=005] [--to=010]`.
import { runProgram } from './run.js';

process.exitCode = await runProgram('tooling/migrate/src/repository/bin.ts', ['migrate', ...process.argv.slice(2)]);
