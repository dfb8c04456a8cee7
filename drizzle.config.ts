const url = process.env['POSTGRES_URL'];

// For Studio and for `drizzle-kit check` and `generate` as gates. Files are written by db:generate alone: kit knows neither
// FORCE nor grants nor partitions. Needs NODE_OPTIONS=--conditions=@mcp-hub/source to find the packages' sources.
export default {
  dialect: 'postgresql',
  schema: './packages/*/src/schema.ts',
  out: './migrations',
  ...(url === undefined || url === '' ? {} : { dbCredentials: { url } }),
};
