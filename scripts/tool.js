// Runs an installed tool by name from the root: `node scripts/tool.js biome check .`
import { runTool } from './run.js';

const [name, ...parameters] = process.argv.slice(2);
process.exitCode = await runTool(name, parameters);
