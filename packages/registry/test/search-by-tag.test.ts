import { compileFilter, type Filter, type FilterFields, readFilter, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { and, desc, eq, sql } from 'drizzle-orm';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import {
  createModel,
  modelFields,
  modelRegistry,
  registeredModels,
  registerVersion,
  searchModels,
  searchVersions,
  setVersionTag,
  versionFields,
} from '../src/index.ts';
import { useRegistry } from './support/use-registry.ts';

const registry = useRegistry();

/** Versions of which each has the tags `run` with a value of its own and `team` with one of ten, and models with a tag. */
async function fill(tenant: string): Promise<void> {
  await registry.run(tenant, async (tx) => {
    await tx.execute(sql`
      insert into model_registry (name, version, stage_change_number)
      select 'm' || n % 100, n::text, 1 from generate_series(1, 20000) n`);
    await tx.execute(sql`
      insert into model_tags (version_id, key, value)
      select id, key, case key when 'run' then version else 'team ' || version::int % 10 end
        from model_registry, unnest(array['run', 'team']) key`);
    await tx.execute(sql`insert into registered_models (name) select 'm' || n from generate_series(1, 5000) n`);
    await tx.execute(sql`insert into model_tags (model_id, key, value) select id, 'run', name from registered_models`);
  });
  const owner = postgres(registry.ownerUrl, { max: 1, onnotice: () => {} });
  // Alone the owner sees no rows, and would count none.
  await owner.begin(async (tx) => {
    await tx`select set_config('app.tenant', ${tenant}, true)`;
    await tx`analyze model_registry, model_tags, registered_models`;
  });
  await owner.end();
}

async function planOf(
  tx: TenantTx,
  table: typeof modelRegistry | typeof registeredModels,
  fields: FilterFields,
  filter: string,
): Promise<string> {
  const statement = tx
    .select({ id: table.id })
    .from(table)
    .where(and(eq(table.tenantId, tenantOf(tx)), compileFilter(fields, readFilter(fields, filter))))
    .orderBy(desc(table.createdAt), desc(table.id))
    .limit(51);
  return JSON.stringify(await tx.execute(sql`explain (format json) ${statement}`));
}

describe('a search by the value of a tag', () => {
  it('reads the rows with that value from an index, for versions and for models', async () => {
    const tenant = freshTenant();
    await fill(tenant);
    await registry.run(tenant, async (tx) => {
      const byValue = /"Index Cond":"[^"]*key = 'run'[^"]*value_start = /;
      for (const filter of ["tags.run = '7'", "tags.run = 'none'", "tags.run IN ('7', '8')"]) {
        const plan = await planOf(tx, modelRegistry, versionFields, filter);
        expect(plan).toContain('"Index Name":"model_tags_version_value_idx"');
        expect(plan).toMatch(byValue);
      }
      const ofModels = await planOf(tx, registeredModels, modelFields, "tags.run = 'm7'");
      expect(ofModels).toContain('"Index Name":"model_tags_model_value_idx"');
      expect(ofModels).toMatch(byValue);
      expect((await searchVersions(tx, { filter: "tags.run IN ('7', '8')" })).items).toHaveLength(2);
      expect((await searchModels(tx, { filter: "tags.run = 'm7'" })).items).toMatchObject([{ name: 'm7' }]);
    });
  });

  it('is planned for the value at hand, however often it was asked', async () => {
    const tenant = freshTenant();
    await fill(tenant);
    await registry.run(tenant, async (tx) => {
      for (let turn = 0; turn < 12; turn += 1) await searchVersions(tx, { filter: "tags.team = 'team 7'", limit: 7 });
      const [plans] = await tx.execute(sql`
        select max(generic_plans)::int as generic, max(custom_plans)::int as custom from pg_prepared_statements
         where statement like 'select "model_registry"%"value_start" = %'`);
      expect(plans).toEqual({ generic: 0, custom: 12 });
    });
  });

  it('tells long values apart that begin alike, of characters of any width', async () => {
    await registry.run(freshTenant(), async (tx) => {
      for (const unit of ['a', 'é', '漢', '😀']) {
        const name = `model ${unit}`;
        const long = (count: number, end: string) => unit.repeat(count / unit.length) + end;
        const values = [
          '',
          long(198, ''),
          long(200, ''),
          long(200, 'b'),
          long(400, ''),
          long(400, 'b'),
          long(7_998, 'b'),
          long(7_998, 'c'),
        ];
        for (const [index, value] of values.entries()) {
          await registerVersion(tx, { name, version: `v${index}`, tags: { k: value } });
        }
        const found = async (filter: Filter<typeof versionFields>) =>
          (await searchVersions(tx, { filter: { and: [{ field: 'name', op: '=', value: name }, filter] } })).items
            .map(({ version }) => version)
            .sort();
        for (const [index, value] of values.entries()) {
          expect(await found({ field: 'tags', key: 'k', op: '=', value })).toEqual([`v${index}`]);
        }
        expect(await found({ field: 'tags', key: 'k', op: 'in', value: values })).toHaveLength(values.length);
        expect(await found({ field: 'tags', key: 'k', op: '!=', value: values[3] ?? '' })).toHaveLength(7);
      }
    });
  });

  it('finds the value that a tag has now', async () => {
    await registry.run(freshTenant(), async (tx) => {
      await createModel(tx, { name: 'm' });
      await registerVersion(tx, { name: 'm', tags: { k: 'before' } });
      await setVersionTag(tx, { name: 'm', version: '1', key: 'k', value: 'after' });
      expect((await searchVersions(tx, { filter: "tags.k = 'before'" })).items).toEqual([]);
      expect((await searchVersions(tx, { filter: "tags.k = 'after'" })).items).toHaveLength(1);
    });
  });

  it('has room in an index for the longest tenant, key and value', async () => {
    // Of three bytes each and without a pattern that the server could compress.
    const mixed = (length: number, seed: number) =>
      Array.from({ length }, (_, index) =>
        String.fromCodePoint(0x4e00 + ((index * 7_919 + seed * 104_729) % 20_000)),
      ).join('');
    await registry.run(mixed(128, 1), async (tx) => {
      const [key, value] = [mixed(250, 2), mixed(8_000, 3)];
      await registerVersion(tx, { name: 'm', tags: { [key]: value } });
      const filter = { field: 'tags', key, op: '=', value } as const;
      expect((await searchVersions(tx, { filter })).items).toHaveLength(1);
    });
  });
});
