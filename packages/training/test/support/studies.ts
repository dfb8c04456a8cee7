import { type TenantOptions, withTenant } from '@mcp-hub/db-core';
import {
  type AskedTrial,
  askTrial,
  type CreateStudyInput,
  createStudy,
  type SearchSpace,
  type Study,
} from '../../src/index.ts';
import type { Training } from './use-training.ts';

export const space: SearchSpace = { x: { type: 'float', low: -5, high: 5 }, depth: { type: 'int', low: 1, high: 9 } };

/** A study that is sampled at random, unless the input says otherwise. */
export async function makeStudy(
  training: Training,
  tenant: string,
  input: Partial<CreateStudyInput> = {},
  options: TenantOptions = {},
): Promise<Study> {
  const given = { name: 'study', searchSpace: space, sampler: { kind: 'random' }, seed: 1, ...input } as const;
  return await withTenant(training.db, tenant, (tx) => createStudy(tx, given), options);
}

/** Asks, and expects a trial. */
export async function ask(training: Training, tenant: string, studyId: string, now?: Date): Promise<AskedTrial> {
  const asked = await askTrial(training.db, tenant, { studyId }, now === undefined ? {} : { now });
  if (asked.trial === undefined) throw new Error(`No trial: ${asked.reason}`);
  return asked.trial;
}
