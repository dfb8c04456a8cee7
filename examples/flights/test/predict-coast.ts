import { connect } from '@mcp-hub/db-core';
import { flightsOf, loadFlights } from '../src/flights.ts';
import { fitVersion, plannedVersions } from '../src/late-arrival-models.ts';
import { predictMonth } from '../src/predict/predict-month.ts';

// Predicts the month of the tenant whose versions are judged, in a process of its own. At the STEP for the COUNTth time it
// says so on a line and stands still there, to be killed.

const { POSTGRES_SERVICE_URL: url = '', STEP, COUNT = '1' } = process.env;

const db = await connect({ url, max: 4 });
const versions = await Promise.all(plannedVersions.map((plan) => fitVersion(plan, flightsOf(loadFlights(), 'coast'))));
let count = 0;
await predictMonth(db, 'coast', versions, {
  url,
  onStep: async (step) => {
    if (step !== STEP) return;
    count += 1;
    if (count === Number(COUNT)) console.log('reached');
    // Also the asks beside it go no further.
    if (count >= Number(COUNT)) await new Promise<never>(() => {});
  },
});
await db.close();
