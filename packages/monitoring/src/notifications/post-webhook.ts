import { lookup as lookUp } from 'node:dns';
import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPrivateAddress } from './private-addresses.ts';

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Also to addresses that are none of the public internet, and without TLS. */
  readonly allowPrivate: boolean;
}

/** `delivered`, or why not: `http_500`, a code of the connection such as `ECONNREFUSED`, `timeout`, `address_not_allowed`. */
export type WebhookOutcome = 'delivered' | (string & {});

/**
 * Posts JSON, and follows no redirect. The addresses of the host are looked at when they are connected to, so that a name
 * cannot lead elsewhere between the look and the connection. What is answered is not read: whoever sets the address must
 * not learn what stands behind it. Never rejects.
 */
export async function postWebhook(given: WebhookRequest): Promise<WebhookOutcome> {
  const url = parseUrl(given.url);
  if (url === null) return 'url_not_valid';
  const isPlain = url.protocol === 'http:';
  if (!isPlain && url.protocol !== 'https:') return 'url_not_valid';
  if (isPlain && !given.allowPrivate) return 'tls_required';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  // No name is looked up for these.
  if (!given.allowPrivate && (family === 4 || family === 6) && isPrivateAddress(host, family))
    return 'address_not_allowed';
  return await new Promise((resolve) => {
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...given.headers, 'content-length': Buffer.byteLength(given.body) },
      agent: false,
      signal: given.signal,
      ...(given.allowPrivate ? {} : { lookup: publicLookup }),
    };
    const request = (isPlain ? requestHttp : requestHttps)(url, options, (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      request.destroy();
      resolve(statusCode >= 200 && statusCode < 300 ? 'delivered' : `http_${statusCode}`);
    });
    // Of the whole, from the look at the name to the answer: a time-out of the socket begins anew with each byte.
    const timer = setTimeout(() => {
      resolve('timeout');
      request.destroy();
    }, given.timeoutMs);
    request.on('error', (error: NodeJS.ErrnoException) => resolve(given.signal.aborted ? 'aborted' : codeOf(error)));
    request.on('close', () => {
      clearTimeout(timer);
      resolve('connection_closed');
    });
    request.end(given.body);
  });
}

const codeOf = ({ code }: NodeJS.ErrnoException): string =>
  typeof code === 'string' && /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : 'request_failed';

const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, found) => {
    const addresses = error === null ? found : [];
    const isRefused = addresses.some(({ address, family }) => isPrivateAddress(address, family === 6 ? 6 : 4));
    const [first] = addresses;
    if (error !== null || first === undefined || isRefused) {
      const refusal = Object.assign(new Error('The address is not allowed.'), { code: 'address_not_allowed' });
      return callback(error ?? refusal, '', 4);
    }
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  });
};

const parseUrl = (text: string): URL | null => {
  try {
    return new URL(text);
  } catch {
    return null;
  }
};
