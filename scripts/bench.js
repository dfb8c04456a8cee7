import { runProgram } from './run.js';

process.exitCode = await runProgram('bench/src/main.ts', process.argv.slice(2));
