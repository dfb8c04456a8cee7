import { type Database, readOne, withTenant } from '@mcp-hub/db-core';
import { approveVersion, type GateDecision, listGateDecisions, promoteThroughGate } from '@mcp-hub/evaluation';
import {
  decideExperiment,
  type ExperimentDecision,
  type ExperimentDefinition,
  getExperiment,
  getSnapshot,
  listExperimentDecisions,
  listSnapshots,
  pinSnapshot,
  type Snapshot,
  takeSnapshot,
  transitionExperiment,
} from '@mcp-hub/experiments';
import { resolveModel } from '@mcp-hub/registry';
import { actor } from '../actor.ts';
import type { FittedVersion } from '../late-arrival-models.ts';
import { serveFlights } from './serve-flights.ts';
import { ensureExperiment, experimentKey } from './warning-experiment.ts';
import { ensureWarningModel, gate, type WarningVersions, warningModel } from './warning-model.ts';

const LOOKS = 5;

/** One look at the experiment. */
export interface LookReport {
  readonly snapshot: Snapshot;
  readonly decision: ExperimentDecision;
  /** When the last flight of it departed: the month is replayed in seconds. */
  readonly departedBy: Date;
}

/** An experiment from its first flight to what came of it. */
export interface ExperimentReport {
  /** Whether this run of the example looked. */
  readonly isNew: boolean;
  readonly experiment: ExperimentDefinition;
  readonly looks: readonly LookReport[];
  /** By all looks, after the experiment was stopped. */
  readonly decision: ExperimentDecision;
  readonly gate: GateDecision;
  /** What late-warning:production resolves to. */
  readonly production: string;
}

/**
 * Two versions as an experiment by flight id: the flights of March in five parts, a look and a decision after each; then the
 * experiment is stopped and decided, and the second version asks the gate, which passes it if the experiment ships it. Each
 * part finds what is there, so that a run that was broken off goes on.
 */
export async function runExperiment(
  db: Database,
  tenant: string,
  fitted: readonly [FittedVersion, FittedVersion],
): Promise<ExperimentReport> {
  const versions = await ensureWarningModel(db, tenant, fitted);
  await ensureExperiment(db, tenant, versions);
  let isNew = false;
  for (const [part, rows] of partsOf(fitted[0]).entries()) {
    await serveFlights(db, tenant, versions, rows);
    isNew = (await lookOnce(db, tenant, part + 1)) || isNew;
  }
  const decision = await decideAtLast(db, tenant);
  const gateDecision = await askGate(db, tenant, versions, decision);
  return {
    isNew,
    decision,
    gate: gateDecision,
    looks: await readLooks(db, tenant, fitted[0]),
    experiment: await ensureExperiment(db, tenant, versions),
    production: (await readOne(db, tenant, (tx) => resolveModel(tx, `${warningModel}:production`))).version,
  };
}

/** Rows of the month in the order of departure, in as many parts as there are looks. */
function partsOf({ heldBack }: Pick<FittedVersion, 'heldBack'>): readonly (readonly number[])[] {
  const bound = (part: number) => Math.floor((part * heldBack.length) / LOOKS);
  return Array.from({ length: LOOKS }, (_, part) =>
    Array.from({ length: bound(part + 1) - bound(part) }, (_row, at) => bound(part) + at),
  );
}

/** Takes the snapshot of this number and decides by it, where that was not done. */
async function lookOnce(db: Database, tenant: string, number: number): Promise<boolean> {
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      const { id: experimentId } = await getExperiment(tx, { key: experimentKey });
      const { items } = await listSnapshots(tx, { experimentId, filter: `number = ${number}` });
      if (items.length > 0) return false;
      const { id: snapshotId } = await takeSnapshot(tx, { experimentId });
      await decideExperiment(tx, { experimentId, snapshotId });
      return true;
    },
    { actor },
  );
}

/** Stops the experiment, pins its last snapshot as the official one, and decides by it; what is decided stays. */
async function decideAtLast(db: Database, tenant: string): Promise<ExperimentDecision> {
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      const { id: experimentId } = await getExperiment(tx, { key: experimentKey });
      const filter = `experiment_id = '${experimentId}' AND is_over = true`;
      const [known] = (await listExperimentDecisions(tx, { filter, limit: 1 })).items;
      if (known !== undefined) return known;
      await transitionExperiment(tx, { experimentId, status: 'stopped', reason: 'March has ended' });
      const decision = await decideExperiment(tx, { experimentId });
      await pinSnapshot(tx, { snapshotId: decision.snapshotId, reason: 'decided by it' });
      return decision;
    },
    { actor },
  );
}

/** Operations approves the treatment in any case, the experiment where it ships it; then the gate judges, once. */
async function askGate(
  db: Database,
  tenant: string,
  { treatment }: WarningVersions,
  { verdict }: ExperimentDecision,
): Promise<GateDecision> {
  const { version } = treatment.fitted;
  const filter = `model = '${warningModel}' AND version = '${version}' AND gate = '${gate.gate}'`;
  const [known] = (await readOne(db, tenant, (tx) => listGateDecisions(tx, { filter, limit: 1 }))).items;
  if (known !== undefined) return known;
  const approvers = ['operations', ...(verdict === 'ship' ? [`experiment ${experimentKey}`] : [])];
  for (const approver of approvers) {
    const approval = { name: warningModel, stage: gate.stage, version };
    await withTenant(db, tenant, (tx) => approveVersion(tx, approval), { actor: approver });
  }
  const asked = { name: warningModel, stage: gate.stage, version, reason: `experiment ${experimentKey}: ${verdict}` };
  const { decisions } = await withTenant(db, tenant, (tx) => promoteThroughGate(tx, asked), { actor });
  const [decision] = decisions;
  if (decision === undefined) throw new Error('The version is in production without a decision of the gate.');
  return decision;
}

async function readLooks(db: Database, tenant: string, { heldBack }: FittedVersion): Promise<readonly LookReport[]> {
  const parts = partsOf({ heldBack });
  return await withTenant(db, tenant, async (tx) => {
    const { id: experimentId } = await getExperiment(tx, { key: experimentKey });
    const { items } = await listSnapshots(tx, { experimentId });
    const decided = await listExperimentDecisions(tx, {
      filter: `experiment_id = '${experimentId}' AND is_over = false`,
    });
    const looks: LookReport[] = [];
    for (const { id: snapshotId, number } of items.toSorted((a, b) => a.number - b.number)) {
      const decision = decided.items.find((row) => row.snapshotId === snapshotId);
      const departedBy = heldBack[parts[number - 1]?.at(-1) ?? -1]?.flight.departure;
      if (decision === undefined || departedBy === undefined) throw new Error('A look is not of the example.');
      looks.push({ snapshot: await getSnapshot(tx, { snapshotId }), decision, departedBy });
    }
    return looks;
  });
}
