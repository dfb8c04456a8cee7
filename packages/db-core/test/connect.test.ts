import { createTestDatabase, failureOf, freshTenant, useTestDatabase } from '@mcp-hub/testing';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { connect, type Logger, readOne, tenants, withTenant } from '../src/index.ts';

const database = useTestDatabase();

function recordingLogger() {
  const warnings: string[] = [];
  const ignore = () => {};
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (_facts, message) => warnings.push(message),
  };
  return { warnings, logger };
}

describe('connect', () => {
  it('is silent about a service login', async () => {
    const { warnings, logger } = recordingLogger();
    const db = await connect({ url: database.serviceUrl, requireUnprivileged: true, logger });
    await db.close();
    expect(warnings).toEqual([]);
  });

  it('warns of an owner, and refuses one where the login must be unprivileged', async () => {
    const { warnings, logger } = recordingLogger();
    const db = await connect({ url: database.ownerUrl, logger });
    await db.close();
    expect(warnings).toEqual([expect.stringContaining('owns tables')]);
    const refused = connect({ url: database.ownerUrl, requireUnprivileged: true });
    expect(await failureOf(refused)).toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('db:grant-runtime'),
    });
  });

  it('keeps even an owner inside the tenant', async () => {
    const [mine, other] = [freshTenant(), freshTenant()];
    const db = await connect({ url: database.ownerUrl });
    await withTenant(db, mine, (tx) => tx.insert(tenants).values({ displayName: 'mine' }));
    expect(await readOne(db, other, (tx) => tx.select().from(tenants))).toEqual([]);
    await db.close();
  });

  it('refuses a superuser where the login must be unprivileged', async ({ skip }) => {
    const { adminUrl } = database;
    if (adminUrl === undefined) return skip('the given server has no superuser login');
    const refused = connect({ url: adminUrl, requireUnprivileged: true });
    expect(await failureOf(refused)).toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('superuser'),
    });
  });

  it('says which command makes a login a service login, and which makes the roles', async ({ skip }) => {
    const { adminUrl } = database;
    if (adminUrl === undefined) return skip('the given server has no superuser login');
    const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
    const login = `stranger_${Date.now()}`;
    await admin.unsafe(`create role ${login} login password 'x'`);
    const url = new URL(database.serviceUrl);
    url.username = login;
    url.password = 'x';
    const refused = await failureOf(connect({ url: url.href }));
    await admin.unsafe(`drop role ${login}`);
    await admin.end();
    expect(refused).toMatchObject({ code: 'permission_denied', message: expect.stringContaining('db:grant-runtime') });
  });

  it('says that the migrations are missing in an empty database', async () => {
    const empty = await createTestDatabase({ migrated: false });
    const db = await connect({ url: empty.serviceUrl });
    const failed = await failureOf(withTenant(db, freshTenant(), (tx) => tx.select().from(tenants)));
    await db.close();
    await empty.drop();
    expect(failed).toMatchObject({ code: 'internal', message: expect.stringContaining('db:status') });
  });

  it.each([
    ['a url of another kind', { url: 'mysql://localhost/x' }],
    ['no url', { url: undefined as unknown as string }],
    ['max 0', { url: 'postgresql://h/x', max: 0 }],
    ['a time-out that is no whole number', { url: 'postgresql://h/x', acquireTimeoutMs: 1.5 }],
  ])('refuses %s', async (_what, options) => {
    expect(await failureOf(connect(options))).toMatchObject({ code: 'invalid_input' });
  });

  it('does not put the password of the url into an error', async () => {
    const url = new URL(database.serviceUrl);
    url.password = 'wrong-canary';
    const error = (await failureOf(connect({ url: url.href }))) as Error;
    expect(error).toMatchObject({ code: 'permission_denied' });
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('wrong-canary');
  });

  it('reads arrays of raw SQL as arrays', async () => {
    const db = await connect({ url: database.serviceUrl });
    const [row] = await readOne(db, freshTenant(), (tx) =>
      tx.execute(sql`select array['a"b', null, 'c,d{}', 'NULL'] as texts, array[1.5, 'NaN', '-Infinity', null]::float8[] as floats,
        array[[1, 2], [3, 4]] as matrix, array[true, false] as flags, array[9007199254740993] as big,
        array['{"a": [1]}']::jsonb[] as documents, '{}'::uuid[] as none`),
    );
    await db.close();
    expect(row).toEqual({
      ...{ texts: ['a"b', null, 'c,d{}', 'NULL'], floats: [1.5, Number.NaN, Number.NEGATIVE_INFINITY, null] },
      ...{
        matrix: [
          [1, 2],
          [3, 4],
        ],
        flags: [true, false],
        big: ['9007199254740993'],
        documents: [{ a: [1] }],
        none: [],
      },
    });
  });

  it('gives typed relational queries for a schema', async () => {
    const tenant = freshTenant();
    const db = await connect({ url: database.serviceUrl, schema: { tenants } });
    await withTenant(db, tenant, (tx) => tx.insert(tenants).values({ displayName: 'mine' }));
    const found = await readOne(db, tenant, (tx) => tx.query.tenants.findFirst());
    await db.close();
    expect(found?.displayName).toBe('mine');
  });
});
