import { connect } from '@mcp-hub/db-core';
import { fillRegistry, registryShape } from './registry-data.ts';
import { benchPromotions } from './registry-promotions.ts';
import { benchResolve } from './registry-resolve.ts';
import { benchSearch } from './registry-search.ts';
import { startBenchDatabase } from './server.ts';

/** Reads and promotions of the registry, each beside the best that one would write by hand. */
export async function benchRegistry(): Promise<void> {
  const database = await startBenchDatabase();
  try {
    await fillRegistry(database.ownerUrl);
    const { models, versionsPerModel, otherTenants } = registryShape;
    console.log(
      `\n${models * versionsPerModel} versions of ${models} models, and as many of ${otherTenants} other tenants`,
    );
    const db = await connect({ url: database.serviceUrl, max: 8 });
    await benchResolve(db, database.serviceUrl);
    await benchSearch(db);
    await benchPromotions(db);
    await db.close();
  } finally {
    await database.end();
  }
}
