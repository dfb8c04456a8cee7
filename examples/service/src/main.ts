import { connect } from '@mcp-hub/db-core';
import { createService } from './service.ts';
import { readTokens } from './tokens.ts';

// `POSTGRES_SERVICE_URL=… SERVICE_TOKENS=… [PORT=8080] node … examples/service/src/main.ts`
const { POSTGRES_SERVICE_URL: url = '', SERVICE_TOKENS: tokens = '', PORT: port = '8080' } = process.env;

const callerOf = readTokens(tokens);
const db = await connect({ url, requireUnprivileged: true, statementTimeoutMs: 10_000 });
const server = createService(db, callerOf);
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${JSON.stringify(server.address())}`));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // No new requests; those under way are answered, and only then does the pool close.
    server.close(() => void db.close());
    setTimeout(() => server.closeAllConnections(), 15_000).unref();
  });
}
