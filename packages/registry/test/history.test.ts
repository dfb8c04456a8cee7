import { isDomainError, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createModel,
  deleteModel,
  deleteVersion,
  diffModel,
  findAliasHolder,
  getModel,
  legalMoves,
  listAliasMoves,
  listModelChanges,
  listStageHolders,
  listStageTransitions,
  type ModelChange,
  type ModelStage,
  modelStages,
  registerVersion,
  removeAlias,
  removeStageGuard,
  renameModel,
  restoreModel,
  rollbackPromotion,
  setAlias,
  setStageGuard,
  transitionStage,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

describe('the history of a model', () => {
  it('lists alias moves and stage transitions, the last first, by pages that neither skip nor repeat', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await registerVersion(tx, { name: 'm' });
      await registerVersion(tx, { name: 'm' });
      for (let turn = 0; turn < 4; turn += 1) {
        await setAlias(tx, { name: 'm', alias: 'champion', version: String((turn % 2) + 1) });
      }
      await removeAlias(tx, { name: 'm', alias: 'champion' });
      await transitionStage(tx, { name: 'm', version: '1', stage: 'production' });
      await transitionStage(tx, { name: 'm', version: '2', stage: 'production' });
    });
    await registry.run(tenant, async (tx) => {
      const moves: (readonly [string | null, string | null])[] = [];
      let cursor: string | undefined;
      do {
        const page = await listAliasMoves(tx, { name: 'm', limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        moves.push(...page.items.map(({ fromVersion, toVersion }) => [fromVersion, toVersion] as const));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(moves).toEqual([
        ['2', null],
        ['1', '2'],
        ['2', '1'],
        ['1', '2'],
        [null, '1'],
      ]);
      const { items } = await listStageTransitions(tx, { name: 'm', version: '1' });
      expect(items.map(({ fromStage, toStage }) => [fromStage, toStage])).toEqual([
        ['production', 'archived'],
        ['development', 'production'],
        [null, 'development'],
      ]);
    });
  });

  it('is paged through the rows of one change too', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      for (const version of ['1', '2', '3']) {
        await registerVersion(tx, { name: 'm' });
        await transitionStage(tx, { name: 'm', version, stage: 'production', archiveOthers: version === '3' });
      }
      const all = (await listStageTransitions(tx, { name: 'm' })).items;
      expect(new Set(all.slice(0, 3).map(({ changeNumber }) => changeNumber)).size).toBe(1);
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await listStageTransitions(tx, { name: 'm', limit: 1, cursor });
        seen.push(...page.items);
        cursor = seen.length > all.length ? undefined : page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(all);
    });
  });

  it('is found by the id of a model, and needs exactly one of name and id', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      await registerVersion(tx, { name: 'm' });
      const [first] = (await listStageTransitions(tx, { name: 'm' })).items;
      const { items } = await listStageTransitions(tx, { modelId: first?.modelId });
      expect(items).toEqual([first]);
      for (const wrong of [{}, { name: 'm', modelId: first?.modelId }, { modelId: 'no uuid' }]) {
        expect((await refusalOf(listStageTransitions(tx, wrong))).code).toBe('invalid_input');
      }
    });
  });
});

describe('the history by a former name', () => {
  it('is that of the last model which bore it, unless another bears it now', async () => {
    const tenant = freshTenant();
    const at = (second: number) => ({ now: new Date(Date.UTC(2026, 0, 1, 0, 0, second)) });
    const namesIn = (name: string) =>
      registry.run(tenant, async (tx) => {
        const of = { name };
        const lists = [
          await listStageTransitions(tx, of),
          await listAliasMoves(tx, of),
          await listModelChanges(tx, of),
        ];
        const holder = await findAliasHolder(tx, { ...of, alias: 'champion', at: new Date() });
        const ids = lists.flatMap(({ items }) =>
          (items as readonly { modelId: string }[]).map(({ modelId }) => modelId),
        );
        return [new Set(ids).size, ids.length, holder?.version];
      });
    const live = async (tx: TenantTx, name: string, version: string) => {
      await createModel(tx, { name });
      await registerVersion(tx, { name, version });
      await setAlias(tx, { name, alias: 'champion', version });
    };
    await registry.run(tenant, (tx) => live(tx, 'a', 'first'), at(1));
    await registry.run(tenant, (tx) => renameModel(tx, { name: 'a', newName: 'b' }), at(2));
    expect(await namesIn('a')).toEqual(await namesIn('b'));
    expect(await namesIn('a')).toEqual([1, 3, 'first']);
    // A second model bears the name, and gives it up too, with fewer changes behind it.
    await registry.run(tenant, (tx) => live(tx, 'a', 'second'), at(3));
    expect(await namesIn('a')).toEqual([1, 3, 'second']);
    await registry.run(tenant, (tx) => setAlias(tx, { name: 'b', alias: 'other', version: 'first' }), at(4));
    await registry.run(tenant, (tx) => renameModel(tx, { name: 'b', newName: 'a c' }), at(5));
    await registry.run(tenant, (tx) => renameModel(tx, { name: 'a', newName: 'c' }), at(6));
    expect(await namesIn('a')).toEqual([1, 3, 'second']);
    expect(await namesIn('b')).toEqual([1, 4, 'first']);
    expect(await namesIn('never')).toEqual([0, 0, undefined]);
  });
});

describe('the changes of a model', () => {
  it('say who set and removed which guard, what was redacted and erased, and why, the last first, by pages', async () => {
    const tenant = freshTenant();
    const quality = { name: 'm', stage: 'production', guard: 'quality' } as const;
    const modelId = await registry.run(
      tenant,
      async (tx) => {
        const { id } = await createModel(tx, { name: 'm' });
        await setStageGuard(tx, quality);
        await setStageGuard(tx, { ...quality, description: 'auc above 0.8' });
        await removeStageGuard(tx, quality);
        await registerVersion(tx, { name: 'm' });
        await deleteVersion(tx, { name: 'm', version: '1', redact: true, reason: 'asked for' });
        await deleteVersion(tx, { name: 'm', version: '1', permanently: true, reason: 'law' });
        await deleteModel(tx, { name: 'm', reason: 'unused' });
        await restoreModel(tx, { name: 'm', reason: 'used' });
        await deleteModel(tx, { name: 'm', permanently: true, reason: 'end' });
        return String(id);
      },
      { actor: 'ada' },
    );
    await registry.run(tenant, async (tx) => {
      const seen: ModelChange[] = [];
      let cursor: string | undefined;
      do {
        const page = await listModelChanges(tx, { modelId, limit: 2, cursor });
        seen.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(new Set(seen.map(({ actor }) => actor))).toEqual(new Set(['ada']));
      expect(
        seen.map(({ kind, version, stage, guard, description, reason }) =>
          [kind, version, stage, guard, description, reason].filter((value) => value !== null).join(' '),
        ),
      ).toEqual([
        'erased end',
        'restored used',
        'deleted unused',
        'version_erased 1 law',
        'version_redacted 1 asked for',
        'guard_removed production quality',
        'guard_set production quality auc above 0.8',
        'guard_set production quality',
        'created',
      ]);
    });
  });
});

const versions = ['1', '2', '3'] as const;
const aliases = ['champion', 'challenger'] as const;
type Step =
  | { readonly do: 'alias'; readonly alias: string; readonly version: string | null }
  | { readonly do: 'stage'; readonly version: string; readonly stage: ModelStage; readonly archiveOthers: boolean }
  | { readonly do: 'rollback' }
  | { readonly do: 'delete'; readonly version: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('alias' as const),
      alias: fc.constantFrom(...aliases),
      version: fc.constantFrom(...versions, null),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('stage' as const),
      version: fc.constantFrom(...versions),
      stage: fc.constantFrom(...modelStages),
      archiveOthers: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), version: fc.constantFrom(...versions) }) },
);

async function take(tx: TenantTx, taken: Step): Promise<void> {
  const name = 'm';
  if (taken.do === 'rollback') await rollbackPromotion(tx, { name });
  else if (taken.do === 'delete') await deleteVersion(tx, { name, version: taken.version, permanently: true });
  else if (taken.do === 'stage') {
    const { version, stage } = taken;
    const archiveOthers = taken.archiveOthers && (stage === 'staging' || stage === 'production');
    await transitionStage(tx, { name, version, stage, archiveOthers });
  } else if (taken.version === null) await removeAlias(tx, { name, alias: taken.alias });
  else await setAlias(tx, { name, alias: taken.alias, version: taken.version });
}

/** What is held now, read from the tables of the present. */
async function present(tx: TenantTx): Promise<Held> {
  const [row] = await tx.execute<{ aliases: Record<string, string>; stages: Record<string, string> }>(sql`
    select coalesce((select json_object_agg(alias, version) from model_aliases), '{}') as aliases,
           coalesce((select json_object_agg(version, stage) from model_registry where deleted_at is null), '{}') as stages`);
  return row ?? { aliases: {}, stages: {} };
}

interface Held {
  readonly aliases: Readonly<Record<string, string>>;
  readonly stages: Readonly<Record<string, string>>;
}

/** What differs between two states, as diffModel says it. */
function differenceOf(before: Held, after: Held): unknown {
  const pairs = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>) =>
    new Map(
      [...new Set([...Object.keys(one), ...Object.keys(other)])]
        .map((key) => [key, [one[key] ?? null, other[key] ?? null]] as const)
        .filter(([, [from, to]]) => from !== to),
    );
  return { stages: pairs(before.stages, after.stages), aliases: pairs(before.aliases, after.aliases) };
}

async function diffBetween(tx: TenantTx, from: Date, to: Date): Promise<unknown> {
  const diff = await diffModel(tx, { name: 'm', from, to });
  expect(diff.renamed).toBeNull();
  return {
    stages: new Map(diff.stages.map(({ version, fromStage, toStage }) => [version, [fromStage, toStage]])),
    aliases: new Map(diff.aliases.map(({ alias, fromVersion, toVersion }) => [alias, [fromVersion, toVersion]])),
  };
}

async function recalled(tx: TenantTx, at: Date): Promise<unknown> {
  const held: { aliases: Record<string, string>; stages: Record<string, string> } = { aliases: {}, stages: {} };
  for (const alias of aliases) {
    const holder = await findAliasHolder(tx, { name: 'm', alias, at });
    if (holder !== undefined) held.aliases[alias] = holder.version;
  }
  for (const stage of modelStages) {
    for (const { version } of await listStageHolders(tx, { name: 'm', stage, at })) held.stages[version] = stage;
  }
  return held;
}

describe('who held an alias or a stage at a time', () => {
  it('is what the tables said at that time, after any sequence of changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const tenant = freshTenant();
        const start = Date.parse('2026-01-01T00:00:00Z');
        const seen: [Date, Held][] = [];
        for (let index = -1; index < steps.length; index += 1) {
          const now = new Date(start + index * 1_000);
          await registry.run(
            tenant,
            async (tx) => {
              const taken = steps[index];
              if (taken === undefined)
                for (const version of versions) await registerVersion(tx, { name: 'm', version });
              // A refused step changes nothing, and the transaction goes on.
              else await take(tx, taken).catch(ignoreRefusal);
              seen.push([now, await present(tx)]);
            },
            { now },
          );
        }
        await registry.run(tenant, async (tx) => {
          for (const [at, was] of seen) expect(await recalled(tx, at)).toEqual(was);
          expect(await recalled(tx, new Date(start - 2_000))).toEqual({ aliases: {}, stages: {} });
          // And what differs between any two of these times.
          const [last] = seen.slice(-1);
          const beginning: [Date, Held] = [new Date(start - 2_000), { aliases: {}, stages: {} }];
          for (const [index, earlier] of [beginning, ...seen].entries()) {
            for (const later of [seen[index], last]) {
              if (later === undefined) continue;
              expect(await diffBetween(tx, earlier[0], later[0])).toEqual(differenceOf(earlier[1], later[1]));
            }
          }
        });
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  it('knows only legal moves, registrations, deletions and rollbacks', async () => {
    const tenant = freshTenant();
    await registry.run(tenant, async (tx) => {
      for (const version of versions) await registerVersion(tx, { name: 'm', version });
      for (const version of versions) await transitionStage(tx, { name: 'm', version, stage: 'production' });
      await rollbackPromotion(tx, { name: 'm' });
      const { items } = await listStageTransitions(tx, { name: 'm' });
      for (const { fromStage, toStage, undoesChangeNumber } of items) {
        if (fromStage !== null && toStage !== null && undoesChangeNumber === null) {
          expect(legalMoves[fromStage]).toContain(toStage);
        }
      }
    });
  });
});

describe('diffModel', () => {
  it('says the name, follows the id, and knows where a version inserted by hand was before its first move', async () => {
    const tenant = freshTenant();
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    await registry.run(
      tenant,
      async (tx) => {
        await tx.execute(sql`insert into model_registry (name, version) values ('old', 'v1')`);
        await transitionStage(tx, { name: 'old', version: 'v1', stage: 'staging' });
        await registerVersion(tx, { name: 'old' });
        await renameModel(tx, { name: 'old', newName: 'between' });
        await renameModel(tx, { name: 'between', newName: 'new' });
      },
      { now: at(1) },
    );
    const modelId = await registry.run(tenant, async (tx) => String((await getModel(tx, { name: 'new' })).id));
    await registry.run(tenant, (tx) => deleteModel(tx, { name: 'new', permanently: true }), { now: at(2) });
    await registry.run(tenant, async (tx) => {
      expect(await diffModel(tx, { modelId, from: at(0), to: at(1) })).toMatchObject({
        renamed: { fromName: 'old', toName: 'new' },
        stages: [
          { version: 'v1', fromStage: 'development', toStage: 'staging' },
          { version: '1', fromStage: null, toStage: 'development' },
        ],
      });
      expect(await diffModel(tx, { modelId, from: at(1), to: at(2) })).toMatchObject({
        renamed: null,
        stages: [
          { version: 'v1', fromStage: 'staging', toStage: null },
          { version: '1', fromStage: 'development', toStage: null },
        ],
      });
      expect(await diffModel(tx, { modelId, from: at(2), to: at(9) })).toEqual({
        renamed: null,
        stages: [],
        aliases: [],
      });
      expect((await refusalOf(diffModel(tx, { modelId, from: at(2), to: at(1) }))).details['field']).toBe('to');
      expect((await refusalOf(diffModel(tx, { from: at(1), to: at(2) }))).code).toBe('invalid_input');
    });
  });

  it('tells a version from another that was registered anew under its name', async () => {
    const tenant = freshTenant();
    const at = (second: number) => ({ now: new Date(Date.UTC(2026, 0, 1, 0, 0, second)) });
    const version = { name: 'm', version: 'a' };
    const point = async (tx: TenantTx) => {
      await registerVersion(tx, version);
      await setAlias(tx, { ...version, alias: 'champion' });
    };
    await registry.run(tenant, point, at(1));
    await registry.run(
      tenant,
      async (tx) => {
        await deleteVersion(tx, { ...version, permanently: true });
        await point(tx);
      },
      at(2),
    );
    const diff = await registry.run(tenant, (tx) => diffModel(tx, { name: 'm', from: at(1).now, to: at(2).now }));
    expect(diff.stages.map(({ fromStage, toStage }) => [fromStage, toStage])).toEqual([
      ['development', null],
      [null, 'development'],
    ]);
    expect(diff.aliases).toEqual([{ alias: 'champion', fromVersion: 'a', toVersion: 'a' }]);
  });
});

function ignoreRefusal(error: unknown): void {
  if (!isDomainError(error) || error.code === 'internal') throw error;
}
