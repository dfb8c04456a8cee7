// The command of the first version, kept: `node scripts/run-migrations.js [--dry-run] [--from=005] [--to=010]`.
import { runDatabaseCommand } from './db.js';

process.exitCode = await runDatabaseCommand(['migrate', ...process.argv.slice(2)]);
