import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, isDomainError, readOne, withTenant } from '@mcp-hub/db-core';
import { findVersion, modelRegistry } from '@mcp-hub/registry';
import { type FlightTenant, flightsOf, loadFlights, tenantAirports } from './flights.ts';
import { fitLateArrivalModels } from './late-arrival-models.ts';
import { isLocalServer } from './local-server.ts';
import { modelName, type TourReport, tourRegistry } from './registry-tour.ts';

// `POSTGRES_SERVICE_URL=… node … examples/flights/src/main.ts [--allow-remote]`; `npm start` runs it.
const url = process.env['POSTGRES_SERVICE_URL'] ?? process.env['POSTGRES_URL'];
if (url === undefined) {
  console.error('Set POSTGRES_SERVICE_URL, as `npm run db:up` prints it, or run `npm start`.');
  process.exit(2);
}
if (!isLocalServer(url) && !process.argv.includes('--allow-remote')) {
  console.error(
    'The server of POSTGRES_SERVICE_URL is not on this machine. To write the example there: --allow-remote.',
  );
  process.exit(2);
}

const artifacts = fileURLToPath(new URL('../../../.mcp-hub/artifacts/flights', import.meta.url));
const flights = loadFlights();
console.log(`${flights.length} flights, January to March 2001`);

const db = await connect({
  url,
  applicationName: 'flights-example',
  logger: { debug() {}, info() {}, error() {}, warn: (_facts, message) => console.warn(message) },
});
try {
  const reports = new Map<FlightTenant, TourReport>();
  for (const tenant of Object.keys(tenantAirports) as FlightTenant[]) {
    reports.set(tenant, await runTenant(tenant));
  }
  await showIsolation(reports);
} catch (error) {
  // Errors of the packages hold no values; their message says how to mend what is wrong.
  console.error(isDomainError(error) ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
} finally {
  await db.close();
}

async function runTenant(tenant: FlightTenant): Promise<TourReport> {
  const own = flightsOf(flights, tenant);
  const versions = fitLateArrivalModels(own);
  console.log(`\ntenant ${tenant}: ${own.length} flights from ${tenantAirports[tenant].join(', ')}`);
  const folder = join(artifacts, tenant);
  mkdirSync(folder, { recursive: true });
  const pathOf = (version: string) => join(folder, `${modelName}-${version}.json`);
  for (const { version, artifact } of versions) writeFileSync(pathOf(version), artifact);

  const report = await tourRegistry(
    db,
    tenant,
    versions,
    ({ version }) => `artifacts/flights/${tenant}/${modelName}-${version}.json`,
  );
  for (const { version, isNew } of report.registered) {
    const fitted = versions.find((candidate) => candidate.version === version);
    console.log(
      `  ${isNew ? 'registered' : 'was there '} ${modelName}/${version}  AUC on March ${fitted?.heldBackAuc.toFixed(3)}  sha256 ${fitted?.digest.slice(0, 12)}…`,
    );
  }
  console.log(`  promoted 2:      ${modelName}:production is version ${report.promoted}`);
  console.log(`  taken back:      ${modelName}:production is version ${report.afterRollback}`);
  console.log(`  alias:           ${modelName}@champion is version ${report.champion}`);
  return report;
}

/** The same name and numbers in both tenants are different rows, and neither sees the other's. */
async function showIsolation(reports: ReadonlyMap<FlightTenant, TourReport>): Promise<void> {
  console.log('');
  for (const [tenant, own] of reports) {
    for (const [other, foreign] of reports) {
      if (tenant === other) continue;
      const seen = await readOne(db, tenant, (tx) => tx.select({ id: modelRegistry.id }).from(modelRegistry));
      const strange = seen.filter(({ id }) => foreign.visible.includes(id));
      if (strange.length > 0) throw new Error(`${tenant} sees rows of ${other}.`);
      console.log(
        `tenant ${tenant} sees its own ${own.visible.length} versions and none of the ${foreign.visible.length} of ${other}`,
      );
    }
  }
  const nobody = await withTenant(db, 'nobody-yet', (tx) => findVersion(tx, { name: modelName, version: '1' }));
  console.log(`a tenant without models finds ${nobody === undefined ? 'nothing' : 'SOMETHING'} under the same name`);
  if (nobody !== undefined) process.exitCode = 1;
}
