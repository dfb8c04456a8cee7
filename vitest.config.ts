import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@mcp-hub/source', 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: ['@mcp-hub/source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['**/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/dist-test/**'],
    globalSetup: ['./tooling/testing/src/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
