// `npm install` in the root finds no dependencies there and ends here: what it should have done, pnpm does.
import { ensureDependencies } from './dependencies.js';

const agent = process.env.npm_config_user_agent ?? '';
if (!agent.startsWith('pnpm')) process.exitCode = ensureDependencies();
