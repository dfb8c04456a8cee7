import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAlive } from './process-identity.ts';

export const RUN_PREFIX = 'mcp_hub_test_';
const NAME = new RegExp(`^${RUN_PREFIX}([0-9a-f]{8})_([0-9a-z]+)_([0-9a-z]+)_[0-9a-f]{8}`);
const LONGEST_RUN_SECONDS = 24 * 60 * 60;

/** A name for a database or login that tells later runs whose it is, so that they can drop what a killed run has left. */
export function makeRunName(): string {
  const started = Math.floor(Date.now() / 1000).toString(36);
  return `${RUN_PREFIX}${here()}_${process.pid.toString(36)}_${started}_${randomBytes(4).toString('hex')}`;
}

/** Whether the maker of that name is gone: its process on this machine, or any that is older than a day. */
export function isLeftover(name: string): boolean {
  const [, , , started] = NAME.exec(name) ?? [];
  if (started === undefined) return false;
  return isMakerGone(name) || Date.now() / 1000 - Number.parseInt(started, 36) > LONGEST_RUN_SECONDS;
}

/** Whether a process of this machine made that name and runs no more. */
export function isMakerGone(name: string): boolean {
  const [, host, pid] = NAME.exec(name) ?? [];
  return host === here() && pid !== undefined && !isAlive(Number.parseInt(pid, 36));
}

/** This machine as process ids see it: containers of one name have ids of their own. */
function here(): string {
  return createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 8);
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
