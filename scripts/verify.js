import { runProgram } from './run.js';

process.exitCode = await runProgram('tooling/workspace/src/verify.ts', process.argv.slice(2));
