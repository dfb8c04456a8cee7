import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

const WITHIN_MS = 1000;

/**
 * Whether a Docker engine answers, within a second and without a word. The command line client and testcontainers take
 * longer to find out, and an installed client says nothing about an engine.
 */
export async function dockerAnswers(dockerHost: string | undefined = process.env['DOCKER_HOST']): Promise<boolean> {
  if (dockerHost?.startsWith('unix://')) return answersPing(dockerHost.slice('unix://'.length));
  if (dockerHost?.startsWith('tcp://')) return acceptsConnection(new URL(dockerHost));
  const answers = await Promise.all(
    usualSockets()
      .filter((path) => existsSync(path))
      .map(answersPing),
  );
  return answers.includes(true);
}

function usualSockets(): readonly string[] {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return [
    '/var/run/docker.sock',
    ...(runtime === undefined ? [] : [join(runtime, 'docker.sock'), join(runtime, '.docker', 'run', 'docker.sock')]),
    join(homedir(), '.docker', 'run', 'docker.sock'),
    join(homedir(), '.docker', 'desktop', 'docker.sock'),
    join(homedir(), '.colima', 'default', 'docker.sock'),
  ];
}

function answersPing(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping', timeout: WITHIN_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.once('close', () => resolve(false));
    asked.end();
  });
}

/** A port with TLS answers no plain ping, so that a connection has to do. */
function acceptsConnection(host: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: host.hostname, port: Number(host.port) || 2375, timeout: WITHIN_MS });
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
