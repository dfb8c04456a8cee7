import { connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly url: string;
  /** Statements that came through. */
  readonly count: number;
  close(): Promise<void>;
}

export interface Cut {
  /** The statement, from 1, at which the connection goes; the run before is a killed one for the server. */
  readonly at: number;
  /** Whether the server still gets that statement, so that only its answer is lost. */
  readonly afterwards: boolean;
}

/**
 * Stands between a client and the server and cuts both connections at one statement. For the server that is what SIGKILL of
 * the client is, and it can be done at every statement in turn.
 */
export async function startCuttingProxy(serverUrl: string, cut?: Cut): Promise<CuttingProxy> {
  return await startProxy(serverUrl, cut, (data) => data);
}

/** Names a process id of its own when a connection begins, as poolers do. */
export async function startFakePooler(serverUrl: string): Promise<CuttingProxy> {
  // K, length 12, process id, secret: in one piece with ReadyForQuery, at the end of the start-up.
  const header = Buffer.from([0x4b, 0, 0, 0, 12]);
  return await startProxy(serverUrl, undefined, (data) => {
    const at = data.indexOf(header);
    if (at === -1) return data;
    const changed = Buffer.from(data);
    changed.writeUInt32BE(1, at + header.length);
    return changed;
  });
}

async function startProxy(
  serverUrl: string,
  cut: Cut | undefined,
  answer: (data: Buffer) => Buffer,
): Promise<CuttingProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let buffered = Buffer.alloc(0);
    let started = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    upstream.on('data', (data) => client.write(answer(data)));
    client.on('data', (data) => {
      buffered = Buffer.concat([buffered, data]);
      for (;;) {
        // The first message has no type byte.
        const header = started ? 1 : 0;
        if (buffered.length < header + 4) return;
        const length = header + buffered.readUInt32BE(header);
        if (buffered.length < length) return;
        const message = buffered.subarray(0, length);
        buffered = buffered.subarray(length);
        // Q is a simple query, E executes a parsed one.
        const type = started ? String.fromCharCode(message[0] ?? 0) : '';
        started = true;
        if (type === 'Q' || type === 'E') count++;
        if (cut !== undefined && count === cut.at && (type === 'Q' || type === 'E')) {
          if (!cut.afterwards) end();
          else upstream.write(message, () => setTimeout(end, 5));
          return;
        }
        upstream.write(message);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = typeof address === 'object' && address !== null ? String(address.port) : '';
  return {
    url: url.toString(),
    get count() {
      return count;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
