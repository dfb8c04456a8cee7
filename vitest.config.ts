import { fileURLToPath } from 'node:url';

const conditions = ['@mcp-hub/source', 'module', 'node', 'development|production'];

export default {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // The global setup is loaded in an environment of its own.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: ['**/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/dist-test/**'],
    // From here, whichever folder a run is given as its root.
    globalSetup: [fileURLToPath(new URL('./tooling/testing/src/global-setup.ts', import.meta.url))],
    // Generous: the machines that run it are shared.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
};
