// Writes the API reports of the published packages, or holds them against what is exported (`--check`).
import { runProgram, runTool } from './run.js';

const built = await runTool('tsc', [
  '-b',
  'packages/registry',
  'packages/stats',
  'packages/db-core',
  'tooling/migrate',
]);
process.exitCode = built === 0 ? await runProgram('tooling/packing/src/api.ts', process.argv.slice(2)) : built;
