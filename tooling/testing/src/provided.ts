/** What the global setup tells the workers. */
interface ProvidedServer {
  readonly ownerUrl: string;
  readonly serviceUrl: string | undefined;
  readonly adminUrl: string | undefined;
  /** The migrated database to copy; undefined when there is none, for the reason that stands beside it. */
  readonly template: string | undefined;
  readonly noTemplate: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    mcpHubTestServer: ProvidedServer;
  }
}
