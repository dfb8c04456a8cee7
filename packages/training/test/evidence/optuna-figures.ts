import { readFileSync } from 'node:fs';
import { z } from 'zod';

const best = z.array(z.number()).length(50);
const OptunaFigures = z.object({
  python: z.string(),
  optuna: z.string(),
  numpy: z.string(),
  machine: z.string(),
  trials: z.literal(100),
  functions: z.record(
    z.enum(['branin', 'hartmann6', 'rosenbrock2', 'rosenbrock5']),
    z.object({
      bounds: z.array(z.tuple([z.number(), z.number()])),
      at_a_quarter: z.number(),
      best: z.object({ default: best, independent: best, multivariate: best }),
    }),
  ),
});
export type OptunaFigures = z.infer<typeof OptunaFigures>;

/** What optuna_figures.py wrote. */
export const readOptunaFigures = (version: '4.9.0' | '5.0.0'): OptunaFigures =>
  OptunaFigures.parse(
    JSON.parse(readFileSync(new URL(`../../evidence/optuna-${version}.json`, import.meta.url), 'utf8')),
  );
