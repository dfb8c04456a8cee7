import { getTableConfig, text, unique } from 'drizzle-orm/pg-core';
import { describe, expect, it } from 'vitest';
import { idColumn, tenantTable } from '../src/index.ts';

const parents = tenantTable('parents', { id: idColumn<'Parent'>(), name: text('name').notNull() }, (t, constraint) => [
  constraint.primaryKey(t.id),
  constraint.unique('name', t.name),
]);

const children = tenantTable(
  'children',
  { id: idColumn<'Child'>(), parentId: idColumn<'Parent'>('parent_id'), kind: text('kind').notNull() },
  (t, constraint) => [
    constraint.primaryKey(t.id),
    constraint.foreignKey('parent', [t.parentId], [parents.id], { onDelete: 'cascade' }),
    constraint.index('kind', [t.kind]),
    constraint.oneOf('kind', t.kind, ["it's", 'plain']),
  ],
);

describe('a tenant table', () => {
  it('has tenant_id first, its check, its policy and row level security', () => {
    const config = getTableConfig(parents);
    expect(config.columns[0]).toMatchObject({ name: 'tenant_id', notNull: true });
    expect(config.policies.map((policy) => policy.name)).toEqual(['parents_tenant_policy']);
    expect(config.checks.map((c) => c.name)).toEqual(['parents_tenant_id_check']);
  });

  it('names the tenant first in every key, on both sides of a foreign key and in every index', () => {
    const config = getTableConfig(children);
    const [key] = config.foreignKeys.map((foreign) => foreign.reference());
    expect(config.primaryKeys[0]?.columns.map((c) => c.name)).toEqual(['tenant_id', 'id']);
    expect(key?.columns.map((c) => c.name)).toEqual(['tenant_id', 'parent_id']);
    expect(key?.foreignColumns.map((c) => c.name)).toEqual(['tenant_id', 'id']);
    expect(getTableConfig(parents).uniqueConstraints[0]?.columns.map((c) => c.name)).toEqual(['tenant_id', 'name']);
    expect(config.indexes[0]?.config.columns.map((c) => ('name' in c ? c.name : ''))).toEqual(['tenant_id', 'kind']);
  });

  it('says of an index that it is built without blocking writes', () => {
    const logs = tenantTable('logs', { id: idColumn<'Log'>(), at: text('at') }, (t, constraint) => [
      constraint.primaryKey(t.id),
      constraint.indexConcurrently('at', [t.at]),
    ]);
    expect(getTableConfig(logs).indexes[0]?.config).toMatchObject({ name: 'logs_at_idx', concurrently: true });
  });

  it('names its constraints after table and purpose', () => {
    const config = getTableConfig(children);
    expect(config.primaryKeys[0]?.getName()).toBe('children_pk');
    expect(config.foreignKeys[0]?.getName()).toBe('children_parent_fk');
    expect(config.indexes[0]?.config.name).toBe('children_kind_idx');
    expect(config.checks.map((c) => c.name)).toContain('children_kind_check');
  });

  it('does not compile with a constraint that Drizzle makes without the tenant', () => {
    const leaking = () =>
      // @ts-expect-error a unique of Drizzle's own would reach over all tenants
      tenantTable('leaking', { name: text('name') }, (t, constraint) => [
        constraint.primaryKey(t.name),
        unique('leaking_name_key').on(t.name),
      ]);
    // @ts-expect-error without a primary key
    const keyless = () => tenantTable('keyless', { name: text('name') }, () => []);
    // @ts-expect-error with a tenant column of its own
    const own = () => tenantTable('own', { tenantId: text('who') }, (t, constraint) => [constraint.primaryKey()]);
    expect([leaking, keyless, own]).toHaveLength(3);
  });
});
