import { newId, type TenantTx } from '@mcp-hub/db-core';
import { failureOf, freshTenant } from '@mcp-hub/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  compareSnapshots,
  decideExperiment,
  findOfficialSnapshot,
  getSnapshot,
  listExperimentDecisions,
  listSnapshotPins,
  listSnapshotResults,
  listSnapshots,
  pinSnapshot,
  takeSnapshot,
  unpinSnapshot,
  verifySnapshot,
} from '../../src/index.ts';
import { snapshotOf, someUnits, startedExperiment } from '../support/analysed-experiment.ts';
import { useExperiments } from '../support/use-experiments.ts';

const experiments = useExperiments();

interface Ids {
  readonly experimentId: string;
  readonly snapshotId: string;
}

const calls: Readonly<Record<string, (tx: TenantTx, ids: Ids) => Promise<unknown>>> = {
  compareSnapshots: (tx, { snapshotId }) => compareSnapshots(tx, { from: snapshotId, to: snapshotId }),
  decideExperiment: (tx, { experimentId }) => decideExperiment(tx, { experimentId }),
  findOfficialSnapshot: (tx, { experimentId }) => findOfficialSnapshot(tx, { experimentId }),
  getSnapshot: (tx, { snapshotId }) => getSnapshot(tx, { snapshotId }),
  listExperimentDecisions: (tx, { experimentId }) =>
    listExperimentDecisions(tx, { filter: `experiment_id = '${experimentId}'` }),
  listSnapshotPins: (tx, { experimentId }) => listSnapshotPins(tx, { experimentId }),
  listSnapshotResults: (tx, { snapshotId }) => listSnapshotResults(tx, { snapshotId }),
  listSnapshots: (tx, { experimentId }) => listSnapshots(tx, { experimentId }),
  pinSnapshot: (tx, { snapshotId }) => pinSnapshot(tx, { snapshotId }),
  takeSnapshot: (tx, { experimentId }) => takeSnapshot(tx, { experimentId }),
  unpinSnapshot: (tx, { experimentId }) => unpinSnapshot(tx, { experimentId }),
  verifySnapshot: (tx, { snapshotId }) => verifySnapshot(tx, { snapshotId, data: true }),
};

const outcomeOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    return { value: await work };
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: unknown };
    return { code, message, details };
  }
};

describe("another tenant's ids look like nobody's", () => {
  const owner = freshTenant('owner');
  let ids: Ids = { experimentId: '', snapshotId: '' };
  beforeAll(async () => {
    ids = await experiments.run(owner, async (tx) => {
      const { experimentId, definition } = await startedExperiment(tx);
      const snapshotId = await snapshotOf(tx, experimentId, someUnits(definition, 1));
      await pinSnapshot(tx, { snapshotId });
      await decideExperiment(tx, { experimentId });
      return { experimentId, snapshotId };
    });
  });

  it.each(Object.keys(calls))('to %s', async (name) => {
    const call = calls[name];
    if (call === undefined) throw new Error('There is a call.');
    const nobodys = { experimentId: newId(), snapshotId: newId() };
    const stranger = freshTenant('stranger');
    const [theirs, none] = [
      await outcomeOf(experiments.run(stranger, (tx) => call(tx, ids))),
      await outcomeOf(experiments.run(stranger, (tx) => call(tx, nobodys))),
    ];
    expect(theirs).toEqual(none);
  });

  it('and leave what the owner has as it was', async () => {
    const found = await experiments.run(owner, (tx) => getSnapshot(tx, { snapshotId: ids.snapshotId }));
    expect(found.number).toBe(1);
    const pins = await experiments.run(owner, (tx) => listSnapshotPins(tx, { experimentId: ids.experimentId }));
    expect(pins.items).toHaveLength(1);
  });
});

it('refuses what is no id, and names the field', async () => {
  const failure = await failureOf(experiments.run(freshTenant(), (tx) => getSnapshot(tx, { snapshotId: 'x' })));
  expect(failure).toMatchObject({ code: 'invalid_input', details: { field: 'snapshotId' } });
});
