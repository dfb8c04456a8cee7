import type { TenantTx } from '@mcp-hub/db-core';
import { allRows, freshTenant, outcomeOf } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import * as exported from '../src/index.ts';
import { useRegistry } from './support/use-registry.ts';

const {
  createModel,
  deleteModel,
  deleteVersion,
  diffModel,
  findAliasHolder,
  findModel,
  findVersion,
  getModel,
  getVersion,
  issueStageClearance,
  listAliasMoves,
  listModelChanges,
  listStageHolders,
  listStageTransitions,
  listVersions,
  registerVersion,
  removeAlias,
  removeModelTag,
  removeStageGuard,
  removeVersionTag,
  renameModel,
  resolveModel,
  restoreModel,
  restoreVersion,
  revokeStageClearances,
  rollbackPromotion,
  searchModels,
  searchVersions,
  setAlias,
  setModelTag,
  setStageGuard,
  setVersionTag,
  transitionStage,
  updateModel,
  updateVersion,
  versionIdOf,
} = exported;

const registry = useRegistry();

/** What a caller can name: the names and ids of tenant A, or such as nobody has. */
interface Names {
  readonly name: string;
  /** What the model was called before. */
  readonly former: string;
  readonly version: string;
  readonly alias: string;
  readonly modelId: string;
  readonly versionId: string;
}

const nobodys: Names = {
  name: 'nobody has it',
  former: 'nobody had it',
  version: 'nobody has it',
  alias: 'nobody',
  modelId: '01890000-0000-7000-8000-000000000000',
  versionId: '01890000-0000-7000-8000-000000000001',
};

const at = new Date('2030-01-01T00:00:00Z');

/** Each exported function, as tenant B calls it with names that are not its own. */
const calls: Readonly<Record<string, (tx: TenantTx, names: Names) => Promise<unknown>>> = {
  deleteModel: (tx, { name }) => deleteModel(tx, { name, permanently: true }),
  deleteVersion: (tx, { name, version }) => deleteVersion(tx, { name, version, permanently: true }),
  diffModel: (tx, { modelId }) => diffModel(tx, { modelId, from: new Date(0), to: at }),
  findAliasHolder: (tx, { modelId, alias }) => findAliasHolder(tx, { modelId, alias, at }),
  findModel: (tx, { name }) => findModel(tx, { name }),
  findVersion: (tx, { name, version }) => findVersion(tx, { name, version }),
  getModel: (tx, { name }) => getModel(tx, { name }),
  getVersion: (tx, { name, version }) => getVersion(tx, { name, version }),
  issueStageClearance: (tx, { name, version }) =>
    issueStageClearance(tx, { name, version, stage: 'production', guard: 'quality' }),
  listAliasMoves: (tx, { modelId }) => listAliasMoves(tx, { modelId }),
  listModelChanges: async (tx, { modelId, former }) => [
    await listModelChanges(tx, { modelId }),
    await listModelChanges(tx, { name: former }),
  ],
  listStageHolders: (tx, { modelId }) => listStageHolders(tx, { modelId, stage: 'production', at }),
  listStageTransitions: (tx, { modelId }) => listStageTransitions(tx, { modelId }),
  listVersions: (tx, { name }) => listVersions(tx, { name }),
  versionIdOf: async (tx, { name, version, versionId, alias }) => [
    ...(await tx.execute(sql`
      select ${versionIdOf(tx, { name, version })} as by_name, ${versionIdOf(tx, { versionId })} as by_id,
             ${versionIdOf(tx, { reference: `${name}@${alias}` })} as by_alias`)),
  ],
  removeAlias: (tx, { name, alias }) => removeAlias(tx, { name, alias }),
  removeModelTag: (tx, { name }) => removeModelTag(tx, { name, key: 'team' }),
  removeStageGuard: (tx, { name }) => removeStageGuard(tx, { name, stage: 'production', guard: 'quality' }),
  removeVersionTag: (tx, { name, version }) => removeVersionTag(tx, { name, version, key: 'team' }),
  renameModel: (tx, { name }) => renameModel(tx, { name, newName: 'taken' }),
  resolveModel: async (tx, { name, version, alias }) => [
    await outcomeOf(resolveModel(tx, `${name}@${alias}`)),
    await outcomeOf(resolveModel(tx, `${name}/${version}`)),
    await outcomeOf(resolveModel(tx, `${name}:production`)),
  ],
  restoreModel: (tx, { name }) => restoreModel(tx, { name }),
  restoreVersion: (tx, { name, version }) => restoreVersion(tx, { name, version }),
  revokeStageClearances: (tx, { name, version }) =>
    revokeStageClearances(tx, { name, version, stage: 'production', guard: 'quality' }),
  rollbackPromotion: (tx, { name }) => rollbackPromotion(tx, { name }),
  searchModels: (tx, { modelId }) => searchModels(tx, { filter: `id = '${modelId}'` }),
  searchVersions: (tx, { versionId }) => searchVersions(tx, { filter: `id = '${versionId}'` }),
  setAlias: (tx, { name, version }) => setAlias(tx, { name, version, alias: 'mine' }),
  setModelTag: (tx, { name }) => setModelTag(tx, { name, key: 'team', value: 'B' }),
  setStageGuard: (tx, { name }) => setStageGuard(tx, { name, stage: 'staging', guard: 'quality' }),
  setVersionTag: (tx, { name, version }) => setVersionTag(tx, { name, version, key: 'team', value: 'B' }),
  transitionStage: (tx, { name, version }) => transitionStage(tx, { name, version, stage: 'archived' }),
  updateModel: (tx, { name }) => updateModel(tx, { name, description: 'B' }),
  updateVersion: (tx, { name, version }) => updateVersion(tx, { name, version, description: 'B' }),
};

const contentOf = (tenant: string) =>
  registry.run(tenant, (tx) => allRows((statement) => tx.execute(sql.raw(statement))));

describe("tenant B, using tenant A's names and ids", () => {
  let owner: string;
  let names: Names;
  let before: readonly unknown[];

  beforeAll(async () => {
    owner = freshTenant();
    names = await registry.run(owner, async (tx) => {
      const name = 'churn';
      const former = 'attrition';
      await createModel(tx, { name: former });
      await renameModel(tx, { name: former, newName: name });
      const version = await registerVersion(tx, { name, tags: { team: 'A' } });
      await registerVersion(tx, { name });
      await setModelTag(tx, { name, key: 'team', value: 'A' });
      await setAlias(tx, { name, alias: 'champion', version: '1' });
      await transitionStage(tx, { name, version: '1', stage: 'production' });
      await setStageGuard(tx, { name, stage: 'production', guard: 'quality' });
      await issueStageClearance(tx, { name, version: '2', stage: 'production', guard: 'quality' });
      const { id } = await getModel(tx, { name });
      return { name, former, version: '1', alias: 'champion', modelId: String(id), versionId: version.id };
    });
    before = await contentOf(owner);
  });

  it.each(Object.entries(calls))('%s cannot tell them from what nobody has', async (_, call) => {
    const withTheirs = await outcomeOf(registry.run(freshTenant(), (tx) => call(tx, names)));
    const withNobodys = await outcomeOf(registry.run(freshTenant(), (tx) => call(tx, nobodys)));
    expect(withTheirs).toEqual(withNobodys);
    expect(await contentOf(owner)).toEqual(before);
  });

  it('the calls reach what is there: for tenant A the same give something else', async () => {
    const same: string[] = [];
    for (const [function_, call] of Object.entries(calls)) {
      const undo = new Error('undo');
      let outcome: unknown;
      await registry
        .run(owner, async (tx) => {
          outcome = await outcomeOf(tx.transaction((inner) => call(inner, names)));
          throw undo;
        })
        .catch(() => {});
      const asNobody = await outcomeOf(registry.run(freshTenant(), (tx) => call(tx, nobodys)));
      if (JSON.stringify(outcome) === JSON.stringify(asNobody)) same.push(function_);
    }
    // They answer nothing in either case; their effect is compared above.
    expect(same).toEqual(['removeModelTag', 'removeVersionTag']);
  });

  it('creates and registers under names of A without meeting them', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await createModel(tx, { name: names.name });
      expect((await registerVersion(tx, { name: names.name })).version).toBe('1');
      expect((await registerVersion(tx, { name: names.name, version: '2' })).version).toBe('2');
      await renameModel(tx, { name: names.name, newName: 'mine' });
    });
    expect(await contentOf(owner)).toEqual(before);
  });

  it("cannot use A's cursor", async () => {
    const page = await registry.run(owner, (tx) => listVersions(tx, { name: names.name, limit: 1 }));
    const cursor = page.nextCursor ?? '';
    const outcome = await outcomeOf(
      registry.run(freshTenant(), (tx) => listVersions(tx, { name: names.name, limit: 1, cursor })),
    );
    expect(outcome).toMatchObject({ code: 'invalid_input' });
  });

  it('holds for every function that the package exports', () => {
    const functions = Object.entries(exported)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name);
    const withoutTenant = ['namesOneVersion', 'parseModelReference'];
    expect([...Object.keys(calls), 'createModel', 'registerVersion', ...withoutTenant].sort()).toEqual(
      functions.sort(),
    );
  });
});
