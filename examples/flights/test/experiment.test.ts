import { renderSvg } from '@mcp-hub/charts';
import { connect, type Database, withTenant } from '@mcp-hub/db-core';
import { countAssignments, verifySnapshot } from '@mcp-hub/experiments';
import { useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { experimentCharts } from '../src/charts/experiment-charts.ts';
import { type ExperimentReport, runExperiment } from '../src/experiment/run-experiment.ts';
import { experimentKey } from '../src/experiment/warning-experiment.ts';
import { type FlightTenant, flightsOf, loadFlights, tenantAirports } from '../src/flights.ts';
import { type FittedVersion, fitVersion, plannedVersions } from '../src/late-arrival-models.ts';

const database = useTestDatabase();
const tenants = Object.keys(tenantAirports) as FlightTenant[];
let db: Database;
const fitted = new Map<FlightTenant, readonly [FittedVersion, FittedVersion]>();
const reports = new Map<FlightTenant, ExperimentReport>();

const reportOf = (tenant: FlightTenant) => {
  const report = reports.get(tenant);
  if (report === undefined) throw new Error('The experiment has not run.');
  return report;
};
const runAgain = async (tenant: FlightTenant) => {
  const versions = fitted.get(tenant);
  if (versions === undefined) throw new Error('Nothing is fitted.');
  return await runExperiment(db, tenant, versions);
};

beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 4, requireUnprivileged: true });
  for (const tenant of tenants) {
    const flights = flightsOf(loadFlights(), tenant);
    const [first, second] = plannedVersions;
    fitted.set(tenant, [await fitVersion(first, flights), await fitVersion(second, flights)]);
    reports.set(tenant, await runAgain(tenant));
  }
}, 120_000);
afterAll(async () => {
  await db.close();
});

it.each(tenants)('assigns, exposes and measures each flight of March of %s once, in five looks', async (tenant) => {
  const { looks, isNew } = reportOf(tenant);
  const flights = fitted.get(tenant)?.[0].heldBack ?? [];
  expect(isNew).toBe(true);
  expect(looks.map(({ snapshot }) => snapshot.look)).toEqual([1, 2, 3, 4, 5]);
  expect(looks.map(({ snapshot }) => snapshot.units)).toEqual(
    [1, 2, 3, 4, 5].map((part) => Math.floor((part * flights.length) / 5)),
  );
  const last = looks.at(-1)?.snapshot;
  expect(last).toMatchObject({ multipleUnits: 0, forcedUnits: 0, exposedBeforeAssignment: 0 });
  expect(last?.health.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  const counts = await withTenant(db, tenant, (tx) => countAssignments(tx, { key: experimentKey }));
  expect(JSON.stringify(counts)).toContain(String(last?.analysis.units[0]?.units));
});

it.each(tenants)('computes what the flights of %s come to by hand', (tenant) => {
  const { looks, experiment } = reportOf(tenant);
  const { analysis } = looks.at(-1)?.snapshot ?? { analysis: undefined };
  const right = experiment.metrics.find(({ role }) => role === 'primary');
  const rows = analysis?.results.filter(({ metricId, slice }) => metricId === right?.id && slice === null) ?? [];
  expect(rows.map(({ n }) => n).reduce((sum, n) => sum + n, 0)).toBe(fitted.get(tenant)?.[0].heldBack.length);
  for (const [arm, { mean }] of rows.entries()) {
    // Of all flights, of which the arm has about half.
    const all = fitted.get(tenant)?.[arm]?.heldBack ?? [];
    const share = all.filter(({ late, score }) => late === score >= 0.2).length / all.length;
    expect(Math.abs((mean ?? 0) - share)).toBeLessThan(0.06);
  }
});

it.each(tenants)('promotes by the gate what the experiment of %s ships, and nothing else', (tenant) => {
  const { decision, gate, production } = reportOf(tenant);
  expect(decision.isOver).toBe(true);
  expect(gate.passed).toBe(decision.verdict === 'ship');
  expect(production).toBe(decision.verdict === 'ship' ? '2' : '1');
});

it.each(tenants)('says the same of %s when it runs again, and keeps snapshots that verify', async (tenant) => {
  const again = await runAgain(tenant);
  expect(again).toEqual({ ...reportOf(tenant), isNew: false });
  for (const { snapshot } of again.looks) {
    const found = await withTenant(db, tenant, (tx) => verifySnapshot(tx, { snapshotId: snapshot.id }));
    expect(found).toMatchObject({ isIntact: true, isSameFromInput: true, isSameCode: true });
  }
});

it.each(tenants)('draws the experiment of %s, the same each time', async (tenant) => {
  const draw = async () => {
    const charts = experimentCharts(tenant, reportOf(tenant));
    return await Promise.all([...charts].map(async ([name, spec]) => [name, await renderSvg(spec)] as const));
  };
  const drawn = await draw();
  expect(drawn.map(([name]) => name)).toEqual(['experiment-lift', 'experiment-metrics', 'experiment-allocation']);
  expect(await draw()).toEqual(drawn);
});

it('finds in one tenant what it does not find in the other', () => {
  expect(tenants.map((tenant) => [tenant, reportOf(tenant).decision.verdict])).toEqual([
    ['heartland', 'ship'],
    ['coast', 'keep'],
  ]);
});
