import { connect, isDomainError } from '@mcp-hub/db-core';
import { type FlightTenant, flightsOf, loadFlights, tenantAirports } from './flights.ts';
import { isLocalServer } from './local-server.ts';
import { printTenant } from './print-tenant.ts';
import { createProgressBars } from './progress-bars.ts';
import { runTenant } from './run-tenant.ts';
import { showIsolation } from './show-isolation.ts';

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

const tenants = Object.keys(tenantAirports) as FlightTenant[];
const flights = loadFlights();
console.log(`${flights.length} flights, January to March 2001`);

const db = await connect({
  url,
  applicationName: 'flights-example',
  logger: { debug() {}, info() {}, error() {}, warn: (_facts, message) => console.warn(message) },
});
const bars = createProgressBars(process.stdout);
try {
  // Both at once, as tenants do.
  const reports = await Promise.all(
    tenants.map((tenant) => runTenant(db, tenant, flightsOf(flights, tenant), url, bars)),
  );
  bars.end();
  for (const report of reports) printTenant(report);
  await showIsolation(db, tenants);
} catch (error) {
  bars.end();
  // Errors of the packages hold no values; their message says how to mend what is wrong.
  console.error(isDomainError(error) ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
} finally {
  await db.close();
}
