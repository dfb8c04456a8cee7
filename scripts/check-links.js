import { runProgram } from './run.js';

process.exitCode = await runProgram('tooling/workspace/src/check-links.ts', process.argv.slice(2));
