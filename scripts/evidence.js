// `npm run evidence`: how good the samplers are, beside random search and Optuna, on functions whose minimum is known.
import { runProgram } from './run.js';

process.exitCode = await runProgram('packages/training/test/programs/compare-samplers.ts', process.argv.slice(2));
