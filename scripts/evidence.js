// `npm run evidence`: how good the samplers are, beside random search and Optuna, on functions whose minimum is known.
// `npm run evidence -- experiments`: how often the tests of experiments err, by simulation.
// `npm run evidence -- drift`: how often drift is found where there is none, and where there is.
import { runProgram } from './run.js';

const programs = {
  samplers: 'packages/training/test/programs/compare-samplers.ts',
  experiments: 'packages/experiments/test/programs/operating-characteristics.ts',
  drift: 'packages/stats/test/programs/drift-evidence.ts',
};

const [name = 'samplers', ...parameters] = process.argv.slice(2);
const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
if (program === undefined) {
  console.error(`There is no evidence of this name; there is: ${Object.keys(programs).join(', ')}.`);
  process.exitCode = 2;
} else {
  process.exitCode = await runProgram(program, parameters);
}
