import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver {
  /** An address on loopback with this path. */
  url(path: string): string;
  /** What came to the path, in order. */
  received(path: string): readonly Received[];
  /** What the path answers from now on; by default 204 at once. `hang`: nothing. */
  answer(path: string, with_: number | 'hang' | 'close' | { readonly redirect: string }): void;
}

/** A service that takes webhooks, on a port of its own. */
export function useWebhookReceiver(): WebhookReceiver {
  const requests: Received[] = [];
  const answers = new Map<string, number | 'hang' | 'close' | { readonly redirect: string }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      requests.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString() });
      const answer = answers.get(path) ?? 204;
      if (answer === 'hang') return;
      if (answer === 'close') response.destroy();
      else if (typeof answer === 'number') response.writeHead(answer).end();
      else response.writeHead(302, { location: answer.redirect }).end();
    });
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: (path) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    received: (path) => requests.filter((request) => request.path === path),
    answer: (path, with_) => void answers.set(path, with_),
  };
}
