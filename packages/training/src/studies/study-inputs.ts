import { nameInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { TRAINING_LIMITS } from '../limits.ts';

export const studyIdInput = z.uuid();
export const trialIdInput = z.uuid();
export const studyName = nameInput(TRAINING_LIMITS.nameLength);

/** What a PostgreSQL integer holds. */
export const MAX_TRIALS = 2_147_483_647;
export const maxTrialsInput = z.int().min(1).max(MAX_TRIALS);

/** Also NaN and infinities, which z.number refuses. */
export const anyNumber = z.custom<number>((value) => typeof value === 'number', 'must be a number');

export const timeBudget = {
  /** No trial is given out later than so long from now. */
  timeBudgetMs: z.int().min(1).max(TRAINING_LIMITS.timeBudgetMs).optional(),
  /** No trial is given out after this time. */
  deadlineAt: z.date().nullish(),
};

export const oneTimeBudget = (input: {
  readonly timeBudgetMs?: number | undefined;
  readonly deadlineAt?: Date | null | undefined;
}) => input.timeBudgetMs === undefined || input.deadlineAt == null;
export const ONE_TIME_BUDGET = 'must name the end by either timeBudgetMs or deadlineAt';
