import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Installation } from './installation.ts';

/**
 * A shell (2 MB, where a node process takes 40) that holds the reading end of a pipe. The kernel closes the other end
 * when this process ends, whatever ended it. Then it stops the server and removes its data, more than once, because an
 * initdb or pg_ctl that was running at that moment goes on for a while. It is a grandchild whose parent has gone, so
 * that whoever kills this process with all its children does not find it. (The pipe is descriptor 3, because node
 * closes a child's standard input when the child ends, and a shell's background commands read /dev/null there.)
 */
const SCRIPT = `
(
  while read -r line <&3; do :; done
  for again in 1 2 3 4 5; do
    if [ -f "$2/postmaster.pid" ]; then "$1" -D "$2" -w -t 20 -m immediate stop; fi
    rm -rf "$2"
    sleep 1
  done
) >/dev/null 2>&1 &
`;

/** Ends the server of `data` and removes `data` when this process ends, even by SIGKILL. */
export function watchOver(installation: Installation, data: string): void {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'mcp-hub-watchdog', join(installation.bin, 'pg_ctl'), data], {
    ...installation.user,
    cwd: '/',
    detached: true, // its own session: a Ctrl-C in the terminal is for this process
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  // Neither the shell nor the pipe may keep this process from ending.
  child.unref();
  child.on('error', () => {});
  const pipe = child.stdio[3];
  pipe?.on('error', () => {});
  if (pipe instanceof Socket) pipe.unref();
}
