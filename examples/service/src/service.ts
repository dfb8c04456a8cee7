import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Database, DomainError, type DomainErrorCode, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { registerVersion, resolveModel, searchVersions, transitionStage } from '@mcp-hub/registry';
import { readBody, readPath } from './request.ts';
import type { Caller } from './tokens.ts';

/** A request: what stands in the path and what was sent. The functions of the registry check their input themselves. */
type Call = Caller & { readonly db: Database; readonly path: readonly string[]; readonly given: object };

const read = <Result>({ db, tenant }: Call, work: (tx: TenantTx) => Promise<Result>) => readOne(db, tenant, work);
const write = <Result>({ db, tenant, actor }: Call, work: (tx: TenantTx) => Promise<Result>) =>
  withTenant(db, tenant, work, { actor, retry: { attempts: 3 } });

type Input<Work extends (tx: TenantTx, input: never) => unknown> = Parameters<Work>[1];

const routes: Readonly<Record<string, (call: Call) => Promise<unknown>>> = {
  'GET /resolve/*': (call) => read(call, (tx) => resolveModel(tx, call.path[1] ?? '')),
  'GET /versions': (call) => read(call, (tx) => searchVersions(tx, call.given)),
  'POST /models/*/versions': (call) =>
    write(call, (tx) => registerVersion(tx, { ...call.given, name: call.path[1] } as Input<typeof registerVersion>)),
  'PUT /models/*/versions/*/stage': (call) =>
    write(call, (tx) =>
      transitionStage(tx, { ...call.given, name: call.path[1], version: call.path[3] } as Input<
        typeof transitionStage
      >),
    ),
};

const statusOf: Readonly<Record<DomainErrorCode, number>> = {
  invalid_input: 400,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  failed_precondition: 422,
  unavailable: 503,
  internal: 500,
};

/** The registry over HTTP: each request acts in the tenant of its token, and in no other. */
export function createService(
  db: Database,
  callerOf: (authorization: string | undefined) => Caller | undefined,
): Server {
  const answer = async (request: IncomingMessage): Promise<readonly [status: number, body: unknown]> => {
    const caller = callerOf(request.headers.authorization);
    if (caller === undefined) return [401, { code: 'unauthenticated', message: 'Send a known token as Bearer.' }];
    const { path, query } = readPath(request);
    // Names stand at the odd places of a path.
    const form = path.map((part, index) => (index % 2 === 1 ? '*' : part)).join('/');
    const route = routes[`${request.method} /${form}`];
    if (route === undefined) return [404, { code: 'not_found', message: 'There is no such route.' }];
    const given = request.method === 'GET' ? query : await readBody(request);
    return [200, await route({ ...caller, db, path, given })];
  };
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [status, body] = await answer(request).catch((error: unknown) => {
      // Message and details of a DomainError hold no values of a tenant; what another error holds, nobody knows.
      const { code, message, details } =
        error instanceof DomainError ? error : new DomainError('internal', 'It failed.');
      return [statusOf[code], { code, message, details }] as const;
    });
    // A connection that stays open would hold up the end of the service.
    const headers = { 'content-type': 'application/json', ...(server.listening ? {} : { connection: 'close' }) };
    response.writeHead(status, headers).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void respond(request, response));
  return server;
}
