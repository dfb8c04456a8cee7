import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface FlightCounter {
  /** The URL of the database, by way of the counter. */
  readonly url: string;
  /** Flights from client to server so far: bursts that the client sent after it had heard an answer. */
  flights(): number;
  close(): Promise<void>;
}

/** Answers are held back for this time, so that a burst has left whole before the first of them arrives. */
const HELD_MS = 5;

/** Stands between client and server and counts the round trips. */
export async function countFlights(databaseUrl: string): Promise<FlightCounter> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let flights = 0;
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port === '' ? 5432 : target.port) });
    let answered = true;
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('data', (packet) => {
      if (answered) flights += 1;
      answered = false;
      upstream.write(packet);
    });
    upstream.on('data', (packet) => {
      setTimeout(() => {
        answered = true;
        if (client.writable) client.write(packet);
      }, HELD_MS);
    });
    client.on('end', () => upstream.end());
    upstream.on('end', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    flights: () => flights,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
