// `pnpm cases FILE.json …`: runs cases of statistics and prints each that falls short.
import { runProgram } from './run.js';

process.exitCode = await runProgram('packages/stats/test/cases/main.ts', process.argv.slice(2));
