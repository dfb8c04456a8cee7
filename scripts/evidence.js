// `npm run evidence`: how good the samplers are, beside random search and Optuna, on functions whose minimum is known.
// `npm run evidence -- drift`: how often drift is found where there is none, and where there is.
import { runProgram } from './run.js';

const programs = {
  samplers: 'packages/training/test/programs/compare-samplers.ts',
  drift: 'packages/stats/test/programs/drift-evidence.ts',
};

const [first, ...rest] = process.argv.slice(2);
const isNamed = first !== undefined && Object.hasOwn(programs, first);
process.exitCode = await runProgram(programs[isNamed ? first : 'samplers'], isNamed ? rest : process.argv.slice(2));
