import type { TenantTx } from '@mcp-hub/db-core';
import * as exported from '../../src/index.ts';

/** Exports that run no statement: versionIdOf is a part of another's. */
const withoutStatement: readonly string[] = ['namesOneVersion', 'parseModelReference', 'versionIdOf'];

/** The functions that the package exports and that take a transaction. */
export const functionNames = Object.entries(exported)
  .filter(([name, value]) => typeof value === 'function' && !withoutStatement.includes(name))
  .map(([name]) => name)
  .sort();

export async function callFunction(tx: TenantTx, name: string, input: unknown): Promise<unknown> {
  const found: unknown = Reflect.get(exported, name);
  if (typeof found !== 'function') throw new Error(`The package exports no function ${name}.`);
  return await (found as (tx: TenantTx, input: unknown) => Promise<unknown>)(tx, input);
}

/** A model with three versions, of which 2 serves in place of 1 and 3 is deleted; a deleted model; a guarded stage. */
export async function makeWorld(tx: TenantTx): Promise<void> {
  const name = 'm';
  for (const version of ['1', '2', '3']) await exported.registerVersion(tx, { name, version, tags: { k: 'v' } });
  await exported.transitionStage(tx, { name, version: '1', stage: 'production' });
  await exported.transitionStage(tx, { name, version: '2', stage: 'production' });
  await exported.setAlias(tx, { name, alias: 'champion', version: '2' });
  await exported.setModelTag(tx, { name, key: 'k', value: 'v' });
  await exported.deleteVersion(tx, { name, version: '3' });
  await exported.setStageGuard(tx, { name, stage: 'staging', guard: 'quality' });
  await exported.issueStageClearance(tx, { name, version: '1', stage: 'staging', guard: 'quality' });
  await exported.registerVersion(tx, { name: 'gone' });
  await exported.deleteModel(tx, { name: 'gone' });
}

const name = 'm';
const version = '2';
const at = new Date('2100-01-01T00:00:00Z');

/** What each function is called with in that world, where it has all of its work to do. */
export const inputs: Readonly<Record<string, unknown>> = {
  createModel: { name: 'new', tags: { k: 'v' } },
  deleteModel: { name },
  deleteVersion: { name, version },
  diffModel: { name, from: new Date(0), to: at },
  findAliasHolder: { name, alias: 'champion', at },
  findModel: { name },
  findVersion: { name, version },
  getModel: { name },
  getVersion: { name, version },
  issueStageClearance: { name, version, stage: 'staging', guard: 'quality' },
  listAliasMoves: { name },
  listModelChanges: { name },
  listStageHolders: { name, stage: 'production', at },
  listStageTransitions: { name },
  listVersions: { name },
  registerVersion: { name, tags: { k: 'v' } },
  removeAlias: { name, alias: 'champion' },
  removeModelTag: { name, key: 'k' },
  removeStageGuard: { name, stage: 'staging', guard: 'quality' },
  removeVersionTag: { name, version, key: 'k' },
  renameModel: { name, newName: 'new' },
  resolveModel: 'm@champion',
  restoreModel: { name: 'gone' },
  restoreVersion: { name, version: '3' },
  revokeStageClearances: { name, version: '1', stage: 'staging', guard: 'quality' },
  rollbackPromotion: { name },
  searchModels: {},
  searchVersions: {},
  setAlias: { name, alias: 'champion', version: '1' },
  setModelTag: { name, key: 'k', value: 'w' },
  setStageGuard: { name, stage: 'production', guard: 'quality' },
  setVersionTag: { name, version, key: 'k', value: 'w' },
  transitionStage: { name, version: '1', stage: 'staging' },
  updateModel: { name, description: 'd' },
  updateVersion: { name, version, description: 'd' },
};
