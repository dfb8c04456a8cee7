import { compileFilter, readFilter } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  type AttributeKind,
  type CreateExperimentInput,
  createExperiment,
  EXPERIMENT_LIMITS,
  findExperiment,
  getExperiment,
  targetingFields,
} from '../../src/index.ts';
import { checkout, drafted } from '../support/experiment-inputs.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();

describe('a new experiment', () => {
  it('is a draft that is read whole as it was made, by key or by id', async () => {
    const tenant = freshTenant();
    const made = await experiments.run(
      tenant,
      async (tx) => {
        const { id: modelVersionId } = await registerVersion(tx, { name: 'form' });
        return await createExperiment(tx, {
          ...checkout,
          variants: [
            { key: 'long', weight: 0.4 },
            { key: 'short', weight: 0.6, isControl: true, modelVersionId, description: 'Three fields' },
          ],
          coverage: 0.5,
          targeting: {
            attributes: { country: 'text', age: 'number' },
            filter: "country in ('DE', 'AT') and age >= 18",
          },
        });
      },
      { actor: 'ada', now: new Date('2026-05-04T10:00:00Z') },
    );
    expect(made).toMatchObject({
      ...{ key: 'checkout', status: 'draft', seed: 'checkout', hashVersion: 2, revision: 1, actor: 'ada' },
      ...{ test: 'sequential', alpha: 0.05, correction: 'holm', plannedUnits: 5_000, minimumUnits: 150 },
      ...{ layer: null, holdouts: [], startedAt: null, stoppedAt: null },
      createdAt: new Date('2026-05-04T10:00:00Z'),
      variants: [
        { key: 'long', weight: 0.4, isControl: false, modelVersionId: null },
        { key: 'short', weight: 0.6, isControl: true, description: 'Three fields' },
      ],
      metrics: [
        {
          ...{ key: 'bought', outcome: 'bought', role: 'primary', kind: 'proportion', direction: 'increase' },
          ...{ delayMs: 0, windowMs: null, cupedMs: null, alpha: null, minimumEffect: null },
        },
      ],
      allocation: {
        ...{ epoch: 1, seed: 'checkout', hashVersion: 2, coverage: 0.5, sdkCompatible: true },
        ranges: [
          { start: 0, end: 0.2 },
          { start: 0.4, end: 0.7 },
        ],
      },
      targeting: {
        attributes: { country: 'text', age: 'number' },
        filter: {
          and: [
            { field: 'country', op: 'in', value: ['DE', 'AT'] },
            { field: 'age', op: '>=', value: 18 },
          ],
        },
      },
    });
    expect(made.allocation.ranges.map(({ variantId }) => variantId)).toEqual(made.variants.map(({ id }) => id));
    const read = await experiments.run(tenant, (tx) =>
      Promise.all([getExperiment(tx, { key: 'checkout' }), findExperiment(tx, { experimentId: made.id })]),
    );
    expect(read).toEqual([made, made]);
  });

  it('of a key that is taken is refused, also where two make it at the same time', async () => {
    const tenant = freshTenant();
    const results = await Promise.allSettled([drafted(experiments, tenant), drafted(experiments, tenant)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'already_exists' });
    expect(await failureOf(drafted(experiments, tenant))).toMatchObject({ code: 'already_exists' });
  });

  it('asked for twice with one idempotency key is the first one', async () => {
    const tenant = freshTenant();
    const first = await drafted(experiments, tenant, { idempotencyKey: 'k' });
    expect(await drafted(experiments, tenant, { idempotencyKey: 'k' })).toEqual(first);
    const other = drafted(experiments, tenant, { idempotencyKey: 'k', hypothesis: 'Another.' });
    expect(await failureOf(other)).toMatchObject({ code: 'conflict' });
  });

  it('has no variant, metric or layer that is not whole', async () => {
    const tenant = freshTenant();
    const metric = { key: 'm', role: 'primary', kind: 'mean' } as const;
    const wrong: readonly (readonly [Partial<CreateExperimentInput>, string])[] = [
      [{ variants: [{ key: 'a' }] }, 'variants'],
      [{ variants: [{ key: 'a' }, { key: 'a' }] }, 'variants'],
      [{ variants: [{ key: 'a', weight: 0.5 }, { key: 'b' }] }, 'variants'],
      [
        {
          variants: [
            { key: 'a', weight: 0.5 },
            { key: 'b', weight: 0.4 },
          ],
        },
        'variants',
      ],
      [
        {
          variants: [
            { key: 'a', isControl: true },
            { key: 'b', isControl: true },
          ],
        },
        'variants',
      ],
      [{ metrics: [metric, metric] }, 'metrics'],
      [{ metrics: [metric, { ...metric, key: 'n' }] }, 'metrics'],
      [{ metrics: [{ ...metric, kind: 'ratio' }] }, 'metrics[0].denominator'],
      [{ metrics: [{ ...metric, denominator: 'views' }] }, 'metrics[0].denominator'],
      [{ metrics: [{ ...metric, kind: 'quantile' }] }, 'metrics[0].quantile'],
      [{ metrics: [{ ...metric, kind: 'quantile', quantile: 1 }] }, 'metrics[0].quantile'],
      [{ metrics: [{ ...metric, kind: 'quantile', quantile: 0.5, cupedMs: 1 }] }, 'metrics[0].cupedMs'],
      [{ metrics: [{ ...metric, windowMs: 0 }] }, 'metrics[0].windowMs'],
      [{ coverage: 1.5 }, 'coverage'],
      [{ alpha: 0 }, 'alpha'],
      [{ minimumUnits: 1 }, 'minimumUnits'],
      [{ layer: { key: 'l', start: 0.5, end: 0.5 } }, 'layer.end'],
      [{ key: ' ' }, 'key'],
      [{ seed: '' }, 'seed'],
      [{ holdouts: ['a', 'a'] }, 'holdouts'],
    ];
    for (const [change, field] of wrong) {
      expect(await failureOf(drafted(experiments, tenant, change))).toMatchObject({
        ...{ code: 'invalid_input', details: { field } },
      });
    }
  });

  it('holds its limits, and names them where they are exceeded', async () => {
    const tenant = freshTenant();
    const { variants, metrics, holdouts, keyLength, seedLength, hypothesisLength } = EXPERIMENT_LIMITS;
    const keys = (n: number) => Array.from({ length: n }, (_, at) => ({ key: `k${at}` }));
    const metric = { role: 'secondary', kind: 'mean' } as const;
    const over: readonly (readonly [Partial<CreateExperimentInput>, number])[] = [
      [{ variants: keys(variants + 1) }, variants],
      [{ metrics: keys(metrics + 1).map((k) => ({ ...k, ...metric })) }, metrics],
      [{ holdouts: keys(holdouts + 1).map(({ key }) => key) }, holdouts],
      [{ key: 'k'.repeat(keyLength + 1) }, keyLength],
      [{ seed: 's'.repeat(seedLength + 1) }, seedLength],
      [{ hypothesis: 'h'.repeat(hypothesisLength + 1) }, hypothesisLength],
    ];
    for (const [change, limit] of over) {
      expect(await failureOf(drafted(experiments, tenant, change))).toMatchObject({
        ...{ code: 'invalid_input', details: { limit } },
      });
    }
    const full = await drafted(experiments, tenant, {
      ...{ key: 'k'.repeat(keyLength), seed: '🧪'.repeat(seedLength / 2), variants: keys(variants) },
      metrics: keys(metrics).map((k) => ({ ...k, ...metric })),
    });
    expect([full.variants.length, full.metrics.length]).toEqual([variants, metrics]);
  });

  it('names a version, layer and holdouts that are there', async () => {
    const tenant = freshTenant();
    const nobodys = '01890000-0000-7000-8000-000000000000';
    const { id } = await experiments.run(tenant, (tx) => registerVersion(tx, { name: 'gone' }));
    await experiments.run(tenant, (tx) => deleteVersion(tx, { name: 'gone', version: '1' }));
    const changes: readonly Partial<CreateExperimentInput>[] = [
      { variants: [{ key: 'a' }, { key: 'b', modelVersionId: nobodys }] },
      { variants: [{ key: 'a' }, { key: 'b', modelVersionId: id }] },
      { layer: { key: 'nobodys', start: 0, end: 1 } },
      { holdouts: ['nobodys'] },
    ];
    for (const change of changes) {
      expect(await failureOf(drafted(experiments, tenant, change))).toMatchObject({ code: 'not_found' });
    }
  });

  it('has variants that may share one model version', async () => {
    const tenant = freshTenant();
    const { id: modelVersionId } = await experiments.run(tenant, (tx) => registerVersion(tx, { name: 'form' }));
    const made = await drafted(experiments, tenant, {
      variants: [
        { key: 'a', modelVersionId },
        { key: 'b', modelVersionId: modelVersionId.toUpperCase() },
      ],
    });
    expect(made.variants.map((variant) => variant.modelVersionId)).toEqual([modelVersionId, modelVersionId]);
  });
});

describe('a targeting', () => {
  const targeted = (tenant: string, filter: string, attributes: Record<string, AttributeKind> = { age: 'number' }) =>
    drafted(experiments, tenant, { targeting: { attributes, filter } });

  it('is read against its attributes, with the place of what is wrong', async () => {
    const tenant = freshTenant();
    for (const filter of ["country = 'DE'", "age = 'old'", 'age >', "age like '1%'"]) {
      expect(await failureOf(targeted(tenant, filter))).toMatchObject({ code: 'invalid_input' });
    }
    const both = { signupAt: 'time', signup_at: 'time' } as const;
    for (const attributes of [both, { attributes: 'text' } as const]) {
      expect(await failureOf(targeted(tenant, 'age = 1', attributes))).toMatchObject({
        ...{ code: 'invalid_input', details: { field: 'targeting.attributes' } },
      });
    }
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, 'text' as const]));
    expect(await failureOf(targeted(tenant, 'a1 is null', many))).toMatchObject({ code: 'invalid_input' });
  });

  it('may be written as an object, and is the same', async () => {
    const [one, other] = [freshTenant(), freshTenant()];
    const made = await drafted(experiments, one, {
      targeting: { attributes: { age: 'number' }, filter: { field: 'age', op: '>=', value: 18 } },
    });
    expect(made.targeting).toEqual((await targeted(other, 'age >= 18')).targeting);
  });

  it('has fields whose value is missing where an attribute is of another type', async () => {
    const attributes = { age: 'number', country: 'text', vip: 'boolean', since: 'time' } as const;
    const fields = targetingFields(attributes, sql`units.attributes`);
    const rows = [
      { age: 20, country: 'DE', vip: true, since: '2026-01-01T00:00:00Z' },
      { age: '20', country: 7, vip: 'true', since: 5 },
      {},
    ];
    const found = async (filter: string) =>
      await experiments.run(freshTenant(), async (tx) => {
        const condition = compileFilter(fields, readFilter(fields, filter));
        const passed = await tx.execute<{ place: number }>(sql`
          select place::int from jsonb_array_elements(${JSON.stringify(rows)}::text::jsonb)
                 with ordinality as units (attributes, place) where ${condition} order by place`);
        return passed.map(({ place }) => place);
      });
    expect(await found("age > 18 and country = 'DE' and vip = true and since < '2026-06-01'")).toEqual([1]);
    expect(await found('age is null and country is null and vip is null and since is null')).toEqual([2, 3]);
    expect(await found('not age = 3')).toEqual([1]);
  });
});
