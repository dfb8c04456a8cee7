export { freshTenant } from './fresh-tenant.ts';
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions, useTestDatabase } from './test-database.ts';
