import { createHash, timingSafeEqual } from 'node:crypto';

/** Whom a request is from: the tenant that it acts in, and the actor of the audit rows. */
export interface Caller {
  readonly tenant: string;
  readonly actor: string;
}

const digest = (token: string) => createHash('sha256').update(token).digest();

/** Reads `{ "<token>": { "tenant": "acme", "actor": "deploy-bot" } }`. Only digests of the tokens stay in memory. */
export function readTokens(json: string): (authorization: string | undefined) => Caller | undefined {
  const callers = Object.entries(JSON.parse(json) as Readonly<Record<string, Caller>>);
  if (callers.some(([token]) => token.length < 16)) throw new Error('A token has at least 16 characters.');
  const known = callers.map(([token, caller]) => ({ caller, digest: digest(token) }));
  return (authorization) => {
    const given = digest(/^Bearer (\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
    // Digests have one length, and all are compared: neither time tells how much of a token was right.
    return known.filter((entry) => timingSafeEqual(entry.digest, given))[0]?.caller;
  };
}
