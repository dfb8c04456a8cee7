import { fileURLToPath } from 'node:url';
import { startEmbeddedTestServer } from './embedded-test-server.ts';
import { DEFAULT_MAJOR, type PostgresMajor } from './major.ts';

export interface TestServer {
  readonly kind: 'given' | 'container' | 'embedded';
  /** A login that may make databases and roles and is no superuser. */
  readonly ownerUrl: string;
  /** A login that owns nothing; undefined on a given server. */
  readonly serviceUrl: string | undefined;
  /** A superuser; undefined on a given server. */
  readonly adminUrl: string | undefined;
  readonly stop: () => Promise<void>;
}

/** The workspace that this file lies in, from `src` and `dist` alike. */
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

export async function startTestServer(
  o: { readonly major?: PostgresMajor; readonly root?: string } = {},
): Promise<TestServer> {
  return startEmbeddedTestServer({ major: o.major ?? DEFAULT_MAJOR, root: o.root ?? WORKSPACE });
}
