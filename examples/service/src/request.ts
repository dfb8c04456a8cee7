import type { IncomingMessage } from 'node:http';
import { DomainError } from '@mcp-hub/db-core';

const bodyLength = 1_000_000;

/** The parts of the path, decoded, and the query with `limit` as a number. */
export function readPath(request: IncomingMessage): { readonly path: readonly string[]; readonly query: object } {
  try {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service');
    const { limit, ...query } = Object.fromEntries(searchParams);
    const path = pathname.slice(1).split('/').map(decodeURIComponent);
    return { path, query: limit === undefined ? query : { ...query, limit: Number(limit) } };
  } catch {
    throw new DomainError('invalid_input', 'The path is not well encoded.');
  }
}

/** The JSON object of the body; none is an empty one. */
export async function readBody(request: IncomingMessage): Promise<object> {
  let text = '';
  let length = 0;
  // Read to its end, and not kept beyond the limit: who still sends does not hear an answer.
  for await (const chunk of request.setEncoding('utf8')) {
    length += (chunk as string).length;
    if (length <= bodyLength) text += chunk as string;
  }
  if (length > bodyLength) {
    throw new DomainError('invalid_input', `A body has at most ${bodyLength} characters.`, { details: { bodyLength } });
  }
  try {
    const body: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof body === 'object' && body !== null) return body;
  } catch {
    // The text itself must not stand in the error.
  }
  throw new DomainError('invalid_input', 'The body must be a JSON object.');
}
