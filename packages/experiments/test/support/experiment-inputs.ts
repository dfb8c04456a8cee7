import type { CreateExperimentInput } from '../../src/index.ts';

/** An experiment that can be started. */
export const checkout: CreateExperimentInput = {
  key: 'checkout',
  hypothesis: 'A shorter form is finished more often.',
  variants: [{ key: 'long' }, { key: 'short' }],
  metrics: [{ key: 'bought', role: 'primary', kind: 'proportion' }],
};
