import { z } from 'zod';
import { WORK_LIMITS } from '../limits.ts';
import { lineInput } from './checked-inputs.ts';

/** Names one piece of work: `workKey` is an id, or empty where the tenant has one of the kind. No user data. */
export const WorkName = z.strictObject({
  kind: lineInput(WORK_LIMITS.kindLength),
  workKey: z.union([z.literal(''), lineInput(WORK_LIMITS.workKeyLength)]).optional(),
});
export type WorkName = Readonly<z.input<typeof WorkName>>;
