import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DelayProxy {
  readonly port: number;
  /** Flights from client to server so far: bursts that the client sent after it had heard an answer. */
  flights(): number;
  close(): Promise<void>;
}

/** Stands between client and server on loopback and holds each packet for `delayMs`, each way. */
export async function startDelayProxy(target: {
  readonly port: number;
  readonly host: string;
  readonly delayMs: number;
}): Promise<DelayProxy> {
  let flights = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ port: target.port, host: target.host });
    let answered = true;
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    }
    const later = (to: Socket, packet: Buffer) => setTimeout(() => to.writable && to.write(packet), target.delayMs);
    client.on('data', (packet) => {
      if (answered) flights += 1;
      answered = false;
      later(upstream, packet);
    });
    upstream.on('data', (packet) => {
      answered = true;
      later(client, packet);
    });
    client.on('end', () => setTimeout(() => upstream.end(), target.delayMs));
    upstream.on('end', () => setTimeout(() => client.end(), target.delayMs));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    flights: () => flights,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
