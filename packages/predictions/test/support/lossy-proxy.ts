import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between client and server, and cuts the connection once the server has heard a COMMIT, before its answer. */
export interface LossyProxy {
  readonly url: string;
  /** The answers to so many commits from now on are lost. */
  loseAnswers(count: number): void;
  /** How many were. */
  lost(): number;
  close(): Promise<void>;
}

const COMMIT = /\0?commit\0/i;

export async function startLossyProxy(databaseUrl: string): Promise<LossyProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let toLose = 0;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let isCut = false;
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (packet) => {
      if (toLose > 0 && COMMIT.test(packet.toString('latin1'))) {
        toLose -= 1;
        isCut = true;
      }
      upstream.write(packet);
    });
    upstream.on('data', (packet) => {
      if (!isCut) return void client.write(packet);
      // It has answered, so it is committed.
      lost += 1;
      client.destroy();
      upstream.end();
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    loseAnswers: (count) => {
      toLose = count;
    },
    lost: () => lost,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
