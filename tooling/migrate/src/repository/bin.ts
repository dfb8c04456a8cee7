import { runRepositoryCli } from './repository-cli.ts';

process.exitCode = await runRepositoryCli(process.argv.slice(2));
