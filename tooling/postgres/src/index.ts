export {
  createDatabase,
  createScratchDatabase,
  databaseName,
  databaseUrl,
  dropDatabase,
  sealTemplate,
} from './databases.ts';
export { PostgresToolError, type PostgresToolErrorCode } from './errors.ts';
export {
  findLocalServer,
  type LocalServer,
  removeLocalServer,
  startLocalServer,
  stopLocalServer,
} from './local-server.ts';
export { DEFAULT_MAJOR, POSTGRES_MAJORS, type PostgresMajor, parsePostgresMajor } from './major.ts';
export { makeRunName } from './run-name.ts';
export { startTestServer, type TestServer, type TestServerKind, type TestServerOptions } from './test-server.ts';
