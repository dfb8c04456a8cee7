import { failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  cancelWork,
  claimWork,
  completeWork,
  connect,
  createTenant,
  type Database,
  deleteExpiredIdempotencyKeys,
  extendLease,
  failWork,
  listTenants,
  recordEvent,
  recordEvents,
  releaseWork,
  scheduleWork,
  setTenantStatus,
  type TenantTx,
  withIdempotencyKey,
  withTenant,
} from '../src/index.ts';

const database = useTestDatabase();
let db: Database;
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl });
});
afterAll(() => db.close());

const lease = { kind: 'k', workKey: '', fencingToken: 1 };
const noWork = async () => 1;

/** Each function with an input that it takes. What a program in JavaScript gives is not checked by the compiler. */
const calls: Readonly<Record<string, readonly [(tx: TenantTx, input: never) => Promise<unknown>, object]>> = {
  cancelWork: [cancelWork, { kind: 'k' }],
  claimWork: [claimWork, { kind: 'k', leaseMs: 1 }],
  createTenant: [(_, input) => createTenant(db, input), { tenant: freshTenant() }],
  deleteExpiredIdempotencyKeys: [deleteExpiredIdempotencyKeys, {}],
  failWork: [(tx, input) => failWork(tx, lease, input), { errorCode: 'x' }],
  listTenants: [(_, input) => listTenants(db, input), {}],
  recordEvent: [recordEvent, { topic: 't', subjectId: 's' }],
  scheduleWork: [scheduleWork, { kind: 'k' }],
  setTenantStatus: [(_, input) => setTenantStatus(db, input), { tenant: 't', status: 'active' }],
  withIdempotencyKey: [(tx, input) => withIdempotencyKey(tx, input, noWork), { scope: 's', key: 'k', request: 1 }],
};

it.each(Object.entries(calls))(
  '%s refuses what is no object, and a field that it does not know',
  async (_, [call, input]) => {
    for (const wrong of [null, 'text', 7, [], { ...input, typo: 1 }]) {
      const failure = await failureOf(withTenant(db, freshTenant(), (tx) => call(tx, wrong as never)));
      expect(failure).toMatchObject({ name: 'DomainError', code: 'invalid_input' });
    }
  },
);

it('a lease must be one, and events a list', async () => {
  const wrong = [null, {}, { ...lease, fencingToken: 'x' }];
  const inputs: readonly ((tx: TenantTx, input: never) => Promise<unknown>)[] = [
    completeWork,
    releaseWork,
    (tx, input) => extendLease(tx, input, 1),
    (tx, input) => failWork(tx, input, { errorCode: 'x' }),
    recordEvents,
  ];
  for (const call of inputs) {
    for (const input of wrong) {
      const failure = await failureOf(withTenant(db, freshTenant(), (tx) => call(tx, input as never)));
      expect(failure).toMatchObject({ name: 'DomainError', code: 'invalid_input' });
    }
  }
});
