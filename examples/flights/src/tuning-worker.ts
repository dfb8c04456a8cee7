import { connect } from '@mcp-hub/db-core';
import { runStudy } from '@mcp-hub/training';
import { actor } from './actor.ts';
import { type FlightTenant, flightsOf, loadFlights } from './flights.ts';
import { ensureStudy, tuningObjective } from './tuning-study.ts';

// `tuning-worker.ts TENANT`: a worker of the study in a process of its own, which fork() starts. It gets as far as the first
// report of its trial, says so, and stands still there, so that whoever kills it always does so in the middle of a trial.

// It does not outlive whoever started it.
process.once('disconnect', () => process.exit());

const tenant = process.argv[2] as FlightTenant;
const db = await connect({ url: process.env['POSTGRES_SERVICE_URL'] ?? '', max: 2 });
const { id: studyId } = await ensureStudy(db, tenant);
const objective = tuningObjective(db, tenant, flightsOf(loadFlights(), tenant), async (reached) => {
  process.send?.(reached);
  await new Promise<never>(() => {});
});
await runStudy(db, tenant, { studyId, objective }, { actor });
await db.close();
