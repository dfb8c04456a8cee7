import { allRows, freshTenant, outcomeOf, useService } from '@mcp-hub/testing';
import postgres from 'postgres';
import { expect, it } from 'vitest';

// As connect and withTenant of db-core, by the driver alone: this package depends on no other.
interface Opened {
  readonly client: postgres.Sql;
  close(): Promise<void>;
}

const service = useService({
  connect: ({ url, max }): Promise<Opened> => {
    const client = postgres(url, { max, onnotice: () => {} });
    return Promise.resolve({ client, close: () => client.end() });
  },
  enter: async <Result>(
    { client }: Opened,
    tenant: string,
    work: (tx: postgres.TransactionSql) => Promise<Result>,
  ): Promise<Result> => {
    const done = await client.begin(async (tx) => {
      await tx`select app_set_tenant(${tenant})`;
      return { result: await work(tx) };
    });
    return done.result;
  },
});

const rowsOf = (tenant: string) => service.run(tenant, (tx) => allRows((statement) => tx.unsafe(statement)));

it('reads every row of the tenant, so that a change shows, and none of others', async () => {
  const [tenant, other] = [freshTenant(), freshTenant()];
  const [before, others] = [await rowsOf(tenant), await rowsOf(other)];
  await service.run(tenant, (tx) => tx`insert into tenants (display_name) values ('Acme')`);
  const after = await rowsOf(tenant);
  expect(after).not.toEqual(before);
  expect(JSON.stringify(after)).toContain('Acme');
  expect(await rowsOf(other)).toEqual(others);
});

it('gives what a caller sees of a result and of an error', async () => {
  expect(await outcomeOf(Promise.resolve(1))).toEqual({ value: 1 });
  const refused = Object.assign(new Error('No.'), { code: 'not_found', details: { field: 'id' }, cause: 'unseen' });
  expect(await outcomeOf(Promise.reject(refused))).toEqual({
    ...{ name: 'Error', code: 'not_found', message: 'No.', details: { field: 'id' } },
  });
});
