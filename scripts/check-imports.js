import { runProgram } from './run.js';

process.exitCode = await runProgram('tooling/workspace/src/check-imports.ts', process.argv.slice(2));
