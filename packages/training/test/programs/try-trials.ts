import { connect, isDomainError, isLeaseLost, withTenant } from '@mcp-hub/db-core';
import { askTrial, reportTrialValue, tellTrial } from '../../src/index.ts';

// A worker of a study as a service has one: asks for a trial, reports a value a step until it loses it, and then tells it
// nevertheless. Tells of each step on a line of its own.

const { SERVICE_URL = '', TENANT = '', STUDY_ID = '', STAND_STILL } = process.env;

const db = await connect({ url: SERVICE_URL, max: 1 });
const { trial } = await askTrial(db, TENANT, { studyId: STUDY_ID });
if (trial === undefined) throw new Error('There is no trial.');
const { lease, number, attempt } = trial;
console.log(JSON.stringify({ number, attempt }));
const said = (error: unknown) => (isLeaseLost(error) ? 'lost' : isDomainError(error) ? error.code : String(error));
try {
  for (let step = 0; ; step += 1) {
    await withTenant(db, TENANT, (tx) => reportTrialValue(tx, { lease, step, value: 1 / (1 + step) }));
    console.log(`reported ${step}`);
    if (step === 0 && STAND_STILL !== undefined) process.kill(process.pid, 'SIGSTOP');
  }
} catch (error) {
  console.log(said(error));
}
try {
  await withTenant(db, TENANT, (tx) => tellTrial(tx, { lease, values: 0 }));
  console.log('told');
} catch (error) {
  console.log(said(error));
}
await db.close();
