import type { TenantTx } from '@mcp-hub/db-core';
import { freshTenant } from '@mcp-hub/testing';
import { describe, expect, it } from 'vitest';
import {
  createRun,
  createStudy,
  enqueueTrial,
  findBestTrial,
  findTrial,
  finishRun,
  getRun,
  listMetricPoints,
  listTrialValues,
  logBatch,
  purgeRuns,
  purgeStudies,
  tellTrial,
  updateRun,
} from '../src/index.ts';
import { refusalOf } from './support/refusal-of.ts';
import { ask, makeStudy } from './support/studies.ts';
import { useTraining } from './support/use-training.ts';

const training = useTraining();

/** As it comes from JSON: a key of the record, which a literal would not give. */
const withProto = (value: string | number) =>
  JSON.parse(`{"__proto__":${JSON.stringify(value)}}`) as Record<string, never>;
const noProto = /must not have the key __proto__/;

const refused = async (tenant: string, work: (tx: TenantTx) => Promise<unknown>) =>
  (await refusalOf(training.run(tenant, work))).message;

describe('keys that objects have a meaning for', () => {
  it('are refused where a record would lose them', async () => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r' }));
    const study = await makeStudy(training, tenant);
    const { lease } = await ask(training, tenant, study.id);
    const calls: readonly ((tx: TenantTx) => Promise<unknown>)[] = [
      (tx) => createRun(tx, { name: 'r', params: withProto('x') }),
      (tx) => createRun(tx, { name: 'r', tags: withProto('x') }),
      (tx) => updateRun(tx, { runId, environment: withProto('x') }),
      (tx) => logBatch(tx, { runId, params: withProto('x') }),
      (tx) => logBatch(tx, { runId, tags: withProto('x') }),
      (tx) => logBatch(tx, { runId, goals: withProto('minimize') }),
      (tx) => enqueueTrial(tx, { studyId: study.id, params: withProto(1) }),
      (tx) => tellTrial(tx, { lease, values: 1, metadata: withProto(1) }),
    ];
    for (const call of calls) expect(await refused(tenant, call)).toMatch(noProto);
  });

  it('are keys like others in lists and points', async () => {
    const names = ['__proto__', 'constructor', 'hasOwnProperty'];
    const pairs = names.map((key) => ({ key, value: key }));
    const run = await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      await logBatch(tx, { runId, params: pairs, tags: pairs, points: names.map((key) => ({ key, value: 1 })) });
      return await getRun(tx, { runId });
    });
    const asText = names.map((key) => [key, key]);
    expect([Object.entries(run.params), Object.entries(run.tags)]).toEqual([asText, asText]);
    expect(Object.entries(run.metrics).map(([key, { latest }]) => [key, latest.value])).toEqual(
      names.map((key) => [key, 1]),
    );
    expect(Object.getPrototypeOf(run.params)).toBe(Object.prototype);
  });
});

describe('what is out of range', () => {
  const years = ['0099-12-31T23:59:59.999Z', '-000001-01-01T00:00:00Z', '+010000-01-01T00:00:00Z'].map(
    (text) => new Date(text),
  );

  it.each(years)('is refused as a time by its field (%o)', async (time) => {
    const tenant = freshTenant();
    const { id: runId } = await training.run(tenant, (tx) => createRun(tx, { name: 'r', start: true }));
    const searchSpace = { x: { type: 'float', low: 0, high: 1 } } as const;
    const messages = [
      await refused(tenant, (tx) => finishRun(tx, { runId, endedAt: time })),
      await refused(tenant, (tx) => createStudy(tx, { name: 's', searchSpace, deadlineAt: time })),
      (await refusalOf(purgeRuns(training.db, tenant, { deletedBefore: time }))).message,
      (await refusalOf(purgeStudies(training.db, tenant, { deletedBefore: time }))).message,
    ];
    expect(messages).toEqual(
      ['endedAt', 'deadlineAt', 'deletedBefore', 'deletedBefore'].map(
        (field) => `${field} must be of the years 100 to 9999.`,
      ),
    );
  });

  it('is read as it was logged at both ends of what is not', async () => {
    const times = ['0100-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'].map((text) => new Date(text));
    const points = await training.run(freshTenant(), async (tx) => {
      const { id: runId } = await createRun(tx, { name: 'r' });
      await logBatch(tx, { runId, points: times.map((at) => ({ key: 'm', value: 1, at })) });
      return (await listMetricPoints(tx, { runId, key: 'm' })).items;
    });
    expect(points.map(({ at }) => at)).toEqual(times);
  });

  it('is refused as a number by its field, not by the server', async () => {
    const tenant = freshTenant();
    const { id: studyId } = await makeStudy(training, tenant);
    const much = 2 ** 31;
    expect(await refused(tenant, (tx) => findTrial(tx, { studyId, number: much }))).toMatch(/^number must/);
    expect(await refused(tenant, (tx) => findBestTrial(tx, { studyId, objective: much }))).toMatch(/^objective must/);
    expect(await refused(tenant, (tx) => listTrialValues(tx, { trialId: studyId, attempt: much }))).toMatch(
      /^attempt must/,
    );
  });
});
