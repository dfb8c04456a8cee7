import { runProgram } from './run.js';

process.exitCode = await runProgram('tooling/workspace/src/start.ts', process.argv.slice(2));
