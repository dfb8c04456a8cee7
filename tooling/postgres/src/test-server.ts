import { fileURLToPath } from 'node:url';
import { startContainerTestServer } from './container-test-server.ts';
import { dockerAnswers } from './docker-probe.ts';
import { startEmbeddedTestServer } from './embedded-test-server.ts';
import { useGivenServer } from './given-test-server.ts';
import { DEFAULT_MAJOR, type PostgresMajor } from './major.ts';

export type TestServerKind = 'given' | 'container' | 'embedded';

export interface TestServer {
  readonly kind: TestServerKind;
  /** A login that may make databases and is no superuser. */
  readonly ownerUrl: string;
  /** A login that owns nothing; undefined on a given server whose login may not make roles. */
  readonly serviceUrl: string | undefined;
  /** A superuser; undefined on a given server whose login is none. */
  readonly adminUrl: string | undefined;
  readonly stop: () => Promise<void>;
}

export interface TestServerOptions {
  /** Of an embedded server or container; 18 when not named. */
  readonly major?: PostgresMajor;
  /** The checkout, in whose ignored folder an ordinary user's binaries are kept. */
  readonly root?: string;
  /** TEST_POSTGRES_URL, which the caller reads. Its login makes databases; if it is a superuser, an owner is made too. */
  readonly givenUrl?: string;
  /** Takes this route and no other. */
  readonly kind?: Exclude<TestServerKind, 'given'>;
  /** Told when a Docker engine answers and then fails, and an embedded server takes its place. */
  readonly onNotice?: (notice: string) => void;
}

/** The workspace that this file lies in, from `src` and `dist` alike. */
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** Finds or starts a server for tests. Nothing is left of it after `stop()`, or when this process dies, even by SIGKILL. */
export async function startTestServer(o: TestServerOptions = {}): Promise<TestServer> {
  const major = o.major ?? DEFAULT_MAJOR;
  const kind = await chooseTestServer(o, dockerAnswers);
  if (kind === 'given' && o.givenUrl !== undefined) return useGivenServer(o.givenUrl);
  if (kind === 'container') {
    try {
      return await startContainerTestServer(major);
    } catch (error) {
      if (o.kind === 'container') throw error;
      // An engine without a way to the image's registry is no reason to have no tests.
      const why = error instanceof Error ? error.message : String(error);
      o.onNotice?.(`Docker answers but gave no PostgreSQL (${why}); using the embedded one.`);
    }
  }
  return startEmbeddedTestServer({ major, root: o.root ?? WORKSPACE });
}

/** A given server, else Docker if it answers, else embedded. */
export async function chooseTestServer(
  o: Pick<TestServerOptions, 'givenUrl' | 'kind'>,
  probe: () => Promise<boolean>,
): Promise<TestServerKind> {
  if (o.kind !== undefined) return o.kind;
  if (o.givenUrl !== undefined && o.givenUrl !== '') return 'given';
  return (await probe()) ? 'container' : 'embedded';
}
