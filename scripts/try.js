// `npm run try -- FILE.ts`: a program of yours on the packages of this checkout and its local server.
import { runProgram } from './run.js';

process.exitCode = await runProgram('tooling/workspace/src/try.ts', process.argv.slice(2));
