import { isDomainError, newId } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { iteratePredictions, type Prediction, PredictionInput, recordPredictions } from '../../src/index.ts';
import { isPlainPrediction } from '../../src/ledger/is-plain-prediction.ts';
import type { FoundFeatures } from '../../src/ledger/prepare-predictions.ts';
import { usePredictions } from '../support/use-predictions.ts';

const database = usePredictions();

const now = new Date('2026-05-04T10:20:30.456Z');
const ids = Array.from({ length: 12 }, (_, n) => newId(new Date(now.getTime() - n * 1_000)));

const numbers = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, -0));
const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('NULL', '{}', '"', '\\', 'a,b', 'größer', '日本', ' '),
);
const clean = text.filter((value) => !/[\0\p{Cs}]/u.test(value));
// f0 to f3 are numbers and c0 to c3 categories, wherever they are right.
const feature = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('f0', 'f1', 'f2', 'f3'), numbers) },
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('c0', 'c1', 'c 2', 'c3é'), fc.oneof(clean, fc.boolean())) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('f0', 'c0'), fc.constant(null)) },
);
const prediction = fc
  .record({
    id: fc.constantFrom(...ids),
    seed: fc.integer({ min: 0, max: 3 }),
    score: fc.option(numbers),
    label: fc.option(clean),
    output: fc.option(fc.jsonValue({ maxDepth: 2 })),
    features: fc.array(feature, { maxLength: 5 }),
  })
  .map(({ id, seed, score, label, output, features }): PredictionInput => {
    // Of each id few contents, so that repeats are often the same.
    if (seed > 0) return { id, score: ids.indexOf(id), features: { f0: 1, c0: 'x' } };
    return { id, score, label, output: storable(output), features: Object.fromEntries(features) };
  });

/** jsonb changes -0 to 0, and takes no NUL; both are JSON's. */
function storable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null).replaceAll(/\\u(?:0000|d[89a-f][0-9a-f]{2})/gi, '?')) as unknown;
}

const wrong: readonly PredictionInput[] = [
  { features: { f0: 'text' } },
  { features: { c0: 1 } },
  { score: 'x' as unknown as number },
  { at: new Date('1970-01-01Z') },
];
const batch = fc.tuple(
  fc.array(prediction, { maxLength: 12 }),
  fc.option(fc.tuple(fc.constantFrom(...wrong), fc.nat(12)), { freq: 5 }),
);

type Content = Omit<Prediction, 'versionId'>;

/** What recording means, one prediction after the other: the index of the first that is refused, or undefined. */
function recordInto(
  model: Map<string, Content>,
  given: readonly PredictionInput[],
  badAt: number | undefined,
): boolean {
  if (badAt !== undefined) return false;
  const next = new Map(model);
  for (const one of given) {
    const content = contentOf(one);
    const known = next.get(content.id);
    if (known !== undefined && textOf(known) !== textOf(content)) return false;
    next.set(content.id, content);
  }
  for (const [id, content] of next) model.set(id, content);
  return true;
}

const textOf = (content: Content) =>
  JSON.stringify(sortedKeys(content), (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );

// -0 and 0 are one content; JSON.stringify writes both as 0.
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, one]) => [key, sortedKeys(one)]),
  );
}

function contentOf({ id = '', score = null, label = null, output = null, features = {} }: PredictionInput): Content {
  const given = Object.entries(features).filter(([, value]) => value !== null);
  return {
    ...{
      id: id as Prediction['id'],
      subject: id,
      score,
      label,
      output,
      latencyMs: null,
      source: 'online',
      truth: null,
    },
    features: Object.fromEntries(
      given.map(([name, value]) => [name, typeof value === 'number' ? value : String(value)]),
    ),
    ...{ batchJobId: null, runId: null, experiment: null, variant: null },
    predictedAt: new Date(Number.parseInt(id.replace('-', '').slice(0, 12), 16)),
  };
}

it('random batches with repeats and wrong rows leave what recording one by one would leave', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
      const tenant = freshTenant();
      await database.run(tenant, (tx) => registerVersion(tx, { name: 'm' }));
      const kinds = { features: { f0: 0, f1: 0, f2: 0, f3: 0, c0: '', c1: '', 'c 2': '', c3é: '' }, id: newId(now) };
      const record = (predictions: readonly PredictionInput[]) =>
        database.run(tenant, (tx) => recordPredictions(tx, { reference: 'm/1', predictions }), { now });
      await record([kinds]);
      const model = new Map([[kinds.id as string, contentOf(kinds)]]);
      for (const [rows, bad] of batches) {
        const badAt = bad === null ? undefined : Math.min(bad[1], rows.length);
        const given =
          badAt === undefined || bad === null ? rows : [...rows.slice(0, badAt), bad[0], ...rows.slice(badAt)];
        const before = model.size;
        const accepted = recordInto(model, given, badAt);
        try {
          const { recorded, repeated } = await record(given);
          expect(accepted).toBe(true);
          expect([recorded, repeated]).toEqual([model.size - before, given.length - (model.size - before)]);
        } catch (error) {
          if (!isDomainError(error)) throw error;
          expect(accepted).toBe(false);
          if (badAt !== undefined) expect(error.details['index']).toBe(badAt);
        }
      }
      const stored = await database.run(tenant, async (tx) => {
        const all: string[] = [];
        for await (const { versionId: _, ...content } of iteratePredictions(tx, {})) all.push(textOf(content));
        return all;
      });
      expect(stored.sort()).toEqual([...model.values()].map(textOf).sort());
    }),
    { numRuns: 30 },
  );
});

it('recorders at the same time, each with a random part of the same predictions, store each once', async () => {
  const rows = Array.from({ length: 1_400 }, (_, n) => ({ id: newId(now), score: n, features: { [`f${n % 9}`]: n } }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(1_399), fc.integer({ min: 1, max: 1_400 }), fc.boolean()), {
        minLength: 2,
        maxLength: 6,
      }),
      async (parts) => {
        const tenant = freshTenant();
        await database.run(tenant, (tx) => registerVersion(tx, { name: 'm' }));
        const given = parts.map(([from, count, reversed]) => {
          const part = rows.slice(from, from + count);
          return reversed ? part.toReversed() : part;
        });
        const outcomes = await Promise.all(
          given.map((predictions) =>
            database.run(tenant, (tx) => recordPredictions(tx, { reference: 'm/1', predictions }), { now }),
          ),
        );
        const wanted = new Map(given.flat().map(({ id, score, features }) => [id as string, { score, features }]));
        expect(outcomes.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(wanted.size);
        const stored = await database.run(tenant, async (tx) => {
          const all: unknown[] = [];
          for await (const { id, score, features } of iteratePredictions(tx, { batchRows: 500 })) {
            all.push([id, { score, features }]);
          }
          return all;
        });
        expect(stored).toEqual([...wanted].sort(([one], [other]) => (one < other ? -1 : 1)));
      },
    ),
    { numRuns: 8 },
  );
}, 60_000);

it('what is taken without the schema is what the schema takes as it is', () => {
  const anything = fc.record(
    {
      id: fc.oneof(fc.constantFrom(...ids), fc.uuid(), text),
      at: fc.oneof(fc.date(), fc.constant(new Date(Number.NaN)), text),
      subject: fc.oneof(text, fc.string({ minLength: 250, maxLength: 260 })),
      label: fc.oneof(text, fc.constant(null), fc.integer(), fc.string({ minLength: 250, maxLength: 260 })),
      score: fc.oneof(numbers, text, fc.constant(null), fc.constant(undefined)),
      output: fc.jsonValue(),
      features: fc.oneof(
        fc.dictionary(
          fc.constantFrom('f0', 'c0', 'new', '__proto__'),
          fc.oneof(numbers, text, fc.boolean(), fc.constant({})),
        ),
        fc.constant(null),
        fc.array(fc.integer()),
      ),
      latencyMs: fc.oneof(numbers, fc.constant(null)),
      source: fc.oneof(fc.constantFrom('online', 'replay', 'dream'), fc.constant(undefined)),
      runId: fc.oneof(fc.uuid(), text, fc.constant(null)),
      variant: fc.oneof(text, fc.constant(null)),
      unknown: fc.constant(1),
    },
    { requiredKeys: [] },
  );
  let plain = 0;
  fc.assert(
    fc.property(fc.oneof(anything, fc.anything()), (given) => {
      const found: FoundFeatures = new Map([
        ['f0', { kind: 'number', index: 0 }],
        ['c0', { kind: 'category', index: 0 }],
      ]);
      if (!isPlainPrediction(given as PredictionInput, found)) return;
      plain += 1;
      expect(PredictionInput.parse(given)).toEqual(given);
    }),
    { numRuns: 20_000 },
  );
  expect(plain).toBeGreaterThan(100);
});
