import { isDomainError, type TenantTx } from '@mcp-hub/db-core';
import { freshTenant, withinMs } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  createModel,
  deleteModel,
  deleteVersion,
  diffModel,
  findModel,
  listVersions,
  modelStages,
  registerVersion,
  removeAlias,
  renameModel,
  resolveModel,
  restoreModel,
  restoreVersion,
  rollbackPromotion,
  setAlias,
  transitionStage,
} from '../src/index.ts';
import {
  apply,
  inOrder,
  insertByHand,
  type Operation,
  type Outcome,
  type Registry,
} from './support/registry-reference.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

const names = ['a', 'b', 'by hand'] as const;
const versions = ['1', '2', 'x'] as const;
// One model is in the thick of it.
const aName = fc.constantFrom(...names, 'a', 'a', 'a');
const aVersion = fc.constantFrom(...versions);
const expectedAlias = fc.constantFrom(undefined, undefined, null, '1');

/** Any operation on the models that `name` gives. */
const operationOn = (name: fc.Arbitrary<string>): fc.Arbitrary<Operation> =>
  fc.oneof(
    { weight: 4, arbitrary: stageOn(name) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('alias' as const),
        name,
        alias: fc.constantFrom('champion', 'other'),
        version: fc.constantFrom(...versions, null),
        expected: expectedAlias,
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('rollback' as const), name }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('list' as const, 'create' as const), name }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('resolve' as const),
        name,
        by: fc.constantFrom('@champion' as const, '/1' as const, ':production' as const),
      }),
    },
    { weight: 2, arbitrary: registerOn(name) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom('deleteVersion' as const, 'purgeVersion' as const, 'restoreVersion' as const),
        name,
        version: aVersion,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'deleteModel' as const,
          'restoreModel' as const,
          'restoreModel' as const,
          'purgeModel' as const,
        ),
        name,
      }),
    },
  );

const stageOn = (name: fc.Arbitrary<string>) =>
  fc.record({
    do: fc.constant('stage' as const),
    name,
    version: aVersion,
    stage: fc.constantFrom(...modelStages, 'production' as const, 'production' as const, 'staging' as const),
    expected: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, undefined, ...modelStages),
  });
const registerOn = (name: fc.Arbitrary<string>) =>
  fc.record({ do: fc.constant('register' as const), name, version: fc.constantFrom(undefined, undefined, 'x', '2') });
const rename = fc.record({ do: fc.constant('rename' as const), name: aName, newName: fc.constantFrom(...names, 'c') });

/**
 * One operation; or several on one or two models, each of which begins by registering in it: from there on the model is
 * this transaction's. Two of them in opposite orders run into a deadlock or a lock time-out, and one is rolled back.
 */
const transaction: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(operationOn(aName)) },
  { weight: 1, arbitrary: fc.tuple(rename) },
  {
    weight: 4,
    arbitrary: aName.chain((name) => {
      const same = fc.constant(name);
      return fc.tuple(registerOn(same), fc.array(operationOn(same), { minLength: 1, maxLength: 3 })).map(flat);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.shuffledSubarray([...names], { minLength: 2, maxLength: 2 }).chain((pair) => {
      const [one = 'a', other = 'b'] = pair;
      return fc
        .tuple(registerOn(fc.constant(one)), fc.tuple(registerOn(fc.constant(other)), stageOn(fc.constant(one))))
        .map(flat);
    }),
  },
);

function flat([first, rest]: readonly [Operation, readonly Operation[]]): readonly Operation[] {
  return [first, ...rest];
}

async function call(tx: TenantTx, operation: Operation): Promise<unknown> {
  const { name } = operation;
  switch (operation.do) {
    case 'create':
      return (await createModel(tx, { name })).name;
    case 'register': {
      const { version } = operation;
      return (await registerVersion(tx, { name, ...(version === undefined ? {} : { version }) })).version;
    }
    case 'rename':
      return (await renameModel(tx, { name, newName: operation.newName })).name;
    case 'deleteModel':
    case 'purgeModel':
      await deleteModel(tx, { name, permanently: operation.do === 'purgeModel' });
      return name;
    case 'restoreModel':
      return (await restoreModel(tx, { name })).name;
    case 'deleteVersion':
    case 'purgeVersion':
      await deleteVersion(tx, { name, version: operation.version, permanently: operation.do === 'purgeVersion' });
      return null;
    case 'restoreVersion':
      return (await restoreVersion(tx, { name, version: operation.version })).stage;
    case 'rollback':
      return movesOf(await rollbackPromotion(tx, { name }));
    case 'stage': {
      const { version, stage, expected } = operation;
      const expectation = expected === undefined ? {} : { expectedStage: expected };
      return movesOf(await transitionStage(tx, { name, version, stage, ...expectation }));
    }
    case 'alias': {
      const { alias, version, expected } = operation;
      const expectation = expected === undefined ? {} : { expectedVersion: expected };
      const { fromVersion, toVersion } =
        version === null
          ? await removeAlias(tx, { name, alias, ...expectation })
          : await setAlias(tx, { name, alias, version, ...expectation });
      return [fromVersion, toVersion];
    }
    case 'resolve':
      return (await resolveModel(tx, `${name}${operation.by}`)).version;
    case 'list': {
      const { items } = await listVersions(tx, { name });
      return inOrder(items.map(({ version, stage, aliases }) => [version, stage, ...aliases]));
    }
  }
}

const movesOf = ({ moves }: Awaited<ReturnType<typeof transitionStage>>) =>
  inOrder(moves.map(({ version, fromStage, toStage }) => [version, fromStage, toStage]));

/** A transaction that committed, what its operations gave, and when: no later one began before it had ended. */
interface Committed {
  readonly began: number;
  readonly ended: number;
  readonly operations: readonly Operation[];
  readonly outcomes: readonly Outcome[];
}

async function runTransaction(
  tenant: string,
  operations: readonly Operation[],
  turn: () => Promise<unknown>,
  clock: () => number,
): Promise<Committed | undefined> {
  const began = clock();
  const outcomes: Outcome[] = [];
  const work = async (tx: TenantTx) => {
    for (const operation of operations) {
      await turn();
      try {
        outcomes.push({ gave: await call(tx, operation) });
      } catch (error) {
        if (!isDomainError(error) || error.code === 'internal' || isLostRace(error)) throw error;
        outcomes.push({ refused: error.code });
      }
    }
  };
  try {
    await registry.run(tenant, work, { lockTimeoutMs: 400 });
  } catch (error) {
    if (isDomainError(error) && isLostRace(error)) return undefined;
    throw error;
  }
  return { began, ended: clock(), operations, outcomes };
}

/** A deadlock or a lock that did not come in time: the transaction has left nothing behind. */
const isLostRace = ({ code, details }: { readonly code: string; readonly details: object }) =>
  code === 'unavailable' || ('retryable' in details && details.retryable === true);

const agrees = (expected: Outcome, actual: Outcome): boolean =>
  'oneOf' in expected
    ? 'gave' in actual && expected.oneOf.includes(actual.gave)
    : JSON.stringify(expected) === JSON.stringify(actual);

/**
 * Looks for an order of the transactions, one after the other, in which the reference gives to each what the registry
 * gave, and which keeps those in order that did not overlap.
 */
function isExplained(before: Registry, transactions: readonly Committed[], tried = new Set<string>()): boolean {
  if (transactions.length === 0) return true;
  const state = JSON.stringify([transactions.map(({ began }) => began), before]);
  if (tried.has(state)) return false;
  tried.add(state);
  const firstEnd = Math.min(...transactions.map(({ ended }) => ended));
  return transactions.some((candidate) => {
    if (candidate.began > firstEnd) return false;
    const after = structuredClone(before);
    const same = candidate.operations.every((operation, index) => {
      const actual = candidate.outcomes[index];
      return actual !== undefined && agrees(apply(after, operation), actual);
    });
    const others = transactions.filter((other) => other !== candidate);
    return same && isExplained(after, others, tried);
  });
}

it('gives to transactions at the same time what a registry in memory gives to them one after the other', async () => {
  const count = { runs: 0, committed: 0, lost: 0, overlapping: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(transaction, { minLength: 1, maxLength: 4 }), { minLength: 4, maxLength: 4 }),
      fc.scheduler(),
      withinMs(20_000, async (workers, scheduler) => {
        const tenant = freshTenant();
        const start: Registry = {};
        await registry.run(tenant, async (tx) => {
          for (const version of ['1', 'x']) {
            await tx.execute(sql`insert into model_registry (name, version) values ('by hand', ${version})`);
            insertByHand(start, 'by hand', version);
          }
          for (const operation of [
            { do: 'register', name: 'a', version: undefined },
            { do: 'register', name: 'a', version: undefined },
          ] as const) {
            await call(tx, operation);
            apply(start, operation);
          }
        });
        let ticks = 0;
        const clock = () => (ticks += 1);
        const turn = () => scheduler.schedule(Promise.resolve(), 'turn');
        const done: Committed[] = [];
        const all = Promise.all(
          workers.map(async (transactions) => {
            for (const operations of transactions) {
              const committed = await runTransaction(tenant, operations, turn, clock);
              if (committed === undefined) count.lost += 1;
              else done.push(committed);
            }
          }),
        );
        await scheduler.waitFor(all);
        const atEnd: Operation[] = [...names, 'c'].map((name) => ({ do: 'list', name }));
        const end = await runTransaction(tenant, atEnd, () => Promise.resolve(), clock);
        if (end === undefined) throw new Error('Something is locked still.');
        const explained = isExplained(start, [...done, end]);
        expect(explained, `No order explains ${JSON.stringify([...done, end], undefined, 1)}`).toBe(true);
        await expectHistoryToAgree(tenant);

        count.runs += 1;
        count.committed += done.length;
        count.refused += done.flatMap(({ outcomes }) => outcomes).filter((outcome) => 'refused' in outcome).length;
        count.overlapping += done.filter((one) =>
          done.some((other) => other !== one && other.began < one.ended && one.began < other.ended),
        ).length;
      }),
    ),
    { numRuns: 200 },
  );
  // The schedules were what they are meant to be: many at once, some refused, few lost.
  expect(count.runs).toBeGreaterThan(3);
  expect(count.overlapping).toBeGreaterThan(count.committed / 2);
  expect(count.refused).toBeGreaterThan(count.runs);
  expect(count.lost).toBeLessThan(count.committed / 2);
}, 60_000);

/** What the history says about the present is what the tables of the present say. */
async function expectHistoryToAgree(tenant: string): Promise<void> {
  await registry.run(tenant, async (tx) => {
    for (const name of [...names, 'c']) {
      if ((await findModel(tx, { name }))?.id == null) continue;
      const { items } = await listVersions(tx, { name });
      const diff = await diffModel(tx, { name, from: new Date(0), to: new Date('2100-01-01') });
      const now = new Map(items.map(({ id, stage }) => [String(id), stage]));
      for (const { versionId, toStage } of diff.stages) expect(now.get(versionId) ?? null).toBe(toStage);
      const aliases = items.flatMap(({ version, aliases: held }) => held.map((alias) => [alias, version] as const));
      const said = diff.aliases.map(({ alias, toVersion }) => [alias, toVersion] as const);
      expect(new Map(said.filter(([, version]) => version !== null))).toEqual(new Map(aliases));
    }
  });
}
