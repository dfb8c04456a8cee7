import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, DomainError, HTTP_STATUS, readOne, type TenantTx, withTenant } from '@mcp-hub/db-core';
import type { TransitionStageInput } from '@mcp-hub/registry';
import { registerVersion, resolveModel, searchVersions, transitionStage } from '@mcp-hub/registry';

const { POSTGRES_SERVICE_URL: url = '', SERVICE_TOKENS: tokens = '{}', PORT: port = '8080' } = process.env;
const digest = (text: string) => createHash('sha256').update(text).digest();

/** Whom a request is from, by its token: the tenant that it acts in, and the actor of the audit rows. */
type Caller = { readonly tenant: string; readonly actor: string };
const callers = Object.entries<Caller>(JSON.parse(tokens)).map(([token, caller]) => {
  if (token.length < 16) throw new Error('A token has at least 16 characters.');
  return { ...caller, digest: digest(token) };
});

function callerOf({ headers }: IncomingMessage): Caller | undefined {
  const sent = digest(/^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '');
  // Digests have one length, and all are compared: time does not tell how much of a token was right.
  return callers.filter((caller) => timingSafeEqual(caller.digest, sent))[0];
}

/** The path in parts, the query, and the body. No error holds a part of them. */
async function parse(request: IncomingMessage) {
  let text = '';
  // Read to its end, and not kept beyond the limit: who still sends does not hear an answer.
  for await (const chunk of request.setEncoding('utf8')) if (text.length <= 1_000_000) text += chunk;
  try {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service');
    const path = pathname.slice(1).split('/').map(decodeURIComponent);
    const body: object = JSON.parse(text.length > 1_000_000 ? '' : text || '{}');
    return { path, query: Object.fromEntries(searchParams), body };
  } catch {
    throw new DomainError('invalid_input', 'Send a path that is well encoded and up to 1,000,000 characters of JSON.');
  }
}

/** One transaction in the tenant of the caller. The registry checks what it is given. */
async function answer({ tenant, actor }: Caller, request: IncomingMessage): Promise<unknown> {
  const { path, query, body } = await parse(request);
  const [, name = '', , version = ''] = path;
  const write = <Result>(work: (tx: TenantTx) => Promise<Result>) =>
    withTenant(db, tenant, work, { actor, retry: { attempts: 3 } });
  switch (`${request.method} /${path.map((part, place) => (place % 2 === 0 ? part : '*')).join('/')}`) {
    case 'GET /resolve/*':
      return await readOne(db, tenant, (tx) => resolveModel(tx, name));
    case 'GET /versions':
      return await readOne(db, tenant, (tx) => searchVersions(tx, { ...query, limit: Number(query['limit'] ?? 20) }));
    case 'POST /models/*/versions':
      return await write((tx) => registerVersion(tx, { ...body, name }));
    case 'PUT /models/*/versions/*/stage':
      return await write((tx) => transitionStage(tx, { ...(body as TransitionStageInput), name, version }));
    default:
      throw new DomainError('not_found', 'There is no such route.');
  }
}

const db = await connect({ url, requireUnprivileged: true, statementTimeoutMs: 10_000 });
const server = createServer((request, response) => {
  const send = (status: number, body: unknown) => {
    // A connection that stays open would hold up the end of the service.
    if (!server.listening) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const caller = callerOf(request);
  if (caller === undefined) return send(401, { code: 'unauthenticated', message: 'Send a known token as Bearer.' });
  const refuse = (error: unknown) => {
    // A DomainError holds no value of a tenant; what another error holds, nobody knows.
    const { code, message, details } = error instanceof DomainError ? error : new DomainError('internal', 'It failed.');
    send(HTTP_STATUS[code], { code, message, details });
  };
  answer(caller, request).then((result) => send(200, result), refuse);
});
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${JSON.stringify(server.address())}`));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // No new requests; those under way are answered, and only then does the pool close.
  process.once(signal, () => server.close(() => void db.close()));
  process.once(signal, () => setTimeout(() => server.closeAllConnections(), 15_000).unref());
}
