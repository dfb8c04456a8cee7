// Writes the API reports of the published packages, or holds them against what is exported (`--check`).
import { readdirSync } from 'node:fs';
import { runProgram, runTool } from './run.js';

const packages = readdirSync(new URL('../packages', import.meta.url)).map((name) => `packages/${name}`);
const built = await runTool('tsc', ['-b', ...packages, 'tooling/migrate']);
process.exitCode = built === 0 ? await runProgram('tooling/packing/src/api.ts', process.argv.slice(2)) : built;
