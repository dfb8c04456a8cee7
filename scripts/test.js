import { runTool } from './run.js';

process.exitCode = await runTool('vitest', ['run', ...process.argv.slice(2)]);
