import { useTestDatabase } from '@mcp-hub/testing';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';

const database = useTestDatabase();

describe("the probe of the seed's README", () => {
  it('inserts a version by hand, for a tenant that was never created, and counts 1, 0 and 1', async () => {
    // As psql sends it: one session of the owner, and SET without LOCAL.
    const sql = postgres(database.ownerUrl, { max: 1 });
    const count = async () => (await sql`select count(*)::int as count from model_registry`)[0]?.['count'];
    try {
      await sql`set app.tenant = 'test_tenant_1'`;
      await sql`insert into model_registry (tenant_id, name, version) values ('test_tenant_1', 'test_model', 'v1')`;
      expect(await count()).toBe(1);
      await sql`set app.tenant = 'test_tenant_2'`;
      expect(await count()).toBe(0);
      await expect(
        sql`insert into model_registry (tenant_id, name, version) values ('test_tenant_1', 'test_model', 'v2')`,
      ).rejects.toMatchObject({ code: '42501' });
      await sql`set app.tenant = 'test_tenant_1'`;
      expect(await count()).toBe(1);
      await sql`reset app.tenant`;
      expect(await count()).toBe(0);
    } finally {
      await sql.end();
    }
  });
});

describe('the history tables', () => {
  it.each(['model_alias_moves', 'model_stage_transitions', 'model_renames'])(
    'are append-only by privilege: %s',
    async (table) => {
      const sql = postgres(database.ownerUrl, { max: 1 });
      try {
        const [may] = await sql`
          select has_table_privilege('app_tenant', ${table}, 'select') and
                 has_table_privilege('app_tenant', ${table}, 'insert') as append,
                 has_table_privilege('app_tenant', ${table}, 'update') or
                 has_table_privilege('app_tenant', ${table}, 'delete') or
                 has_table_privilege('app_tenant', ${table}, 'truncate') as change`;
        expect(may).toEqual({ append: true, change: false });
      } finally {
        await sql.end();
      }
    },
  );
});
