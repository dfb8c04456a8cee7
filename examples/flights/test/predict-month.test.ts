import { connect, type Database, withTenant } from '@mcp-hub/db-core';
import { listBatchJobs, listLabels } from '@mcp-hub/predictions';
import { startProgram, useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FittedVersion } from '../src/late-arrival-models.ts';
import { countMonth } from '../src/predict/count-month.ts';
import { splitMonth, subjectOf } from '../src/predict/month-of-flights.ts';
import { type MonthReport, predictMonth } from '../src/predict/predict-month.ts';
import { type JudgedCoast, judgeCoast, tenant } from './judge-coast.ts';

const database = useTestDatabase();
let db: Database;
let coast: JudgedCoast;
let broken: readonly string[];
let first: MonthReport;

/** Where the program is killed, one run after the other. */
const interrupts = [
  { STEP: 'asked', COUNT: '100' },
  { STEP: 'submitted' },
  { STEP: 'claimed' },
  { STEP: 'predicted' },
  { STEP: 'delivered' },
];

async function killAt(interrupt: (typeof interrupts)[number]): Promise<string> {
  const program = startProgram({
    file: new URL('predict-coast.ts', import.meta.url),
    environment: { POSTGRES_SERVICE_URL: database.serviceUrl, ...interrupt },
  });
  const line = await program.nextLine();
  program.signal('SIGKILL');
  const { signal } = await program.ended;
  return `${line} ${interrupt.STEP} ${signal}`;
}

const predict = (onProgress?: (rowsEnded: number) => void) =>
  predictMonth(db, tenant, coast.trained, {
    url: database.serviceUrl,
    onProgress: ({ rows }) => onProgress?.(rows.succeeded + rows.dead),
  });

const inProduction = () => coast.trained[1];

// The first runs fork workers. The process of the tests cannot do so from source: it only delivers what labels are left.
beforeAll(async () => {
  db = await connect({ url: database.serviceUrl, max: 4, requireUnprivileged: true });
  coast = await judgeCoast(db);
  const lines: string[] = [];
  for (const interrupt of interrupts) lines.push(await killAt(interrupt));
  broken = lines;
  first = await predict();
}, 300_000);
afterAll(async () => {
  await db.close();
});

describe('the month, after the program was killed in five places', () => {
  it('is predicted whole: its counts add up exactly', () => {
    expect(broken).toEqual(interrupts.map(({ STEP }) => `reached ${STEP} SIGKILL`));
    expect(first.version).toBe('2');
    expect(first.counts).toEqual({
      ...{ flights: 1370, online: 137, batch: 1233, labelled: 1333, unlabelled: 37 },
      ...{ asks: 183, hits: 46, misses: 137 },
    });
    expect(first.batch.job).toMatchObject({ status: 'succeeded', chunkCount: 13, rowCount: 1233 });
  });

  it('has of each flight one prediction, with the features and the score that the version was evaluated with', () => {
    const { model, heldBack } = inProduction();
    const byFlight = new Map(first.ledger.predictions.map((prediction) => [prediction.subject, prediction]));
    expect(byFlight.size).toBe(first.ledger.predictions.length);
    for (const { flight, features, score } of heldBack) {
      const prediction = byFlight.get(subjectOf(flight));
      expect(prediction).toMatchObject({ score, label: score >= 0.2 ? 'late' : 'punctual' });
      expect(model.features.map((name) => prediction?.features[name])).toEqual([...features]);
    }
    const online = new Set(splitMonth(inProduction()).online.map(({ flight }) => subjectOf(flight)));
    for (const { source, subject, latencyMs, batchJobId } of first.ledger.predictions) {
      expect(source).toBe(online.has(subject) ? 'online' : 'batch');
      expect(latencyMs === null).toBe(source === 'batch');
      expect(batchJobId).toBe(source === 'batch' ? first.batch.job.id : null);
    }
  });

  it('has one job, of which the chunk of the lost worker was done by another', async () => {
    const { items } = await withTenant(db, tenant, (tx) => listBatchJobs(tx));
    expect(items.map(({ id }) => id)).toEqual([first.batch.job.id]);
    const { chunks } = first.batch;
    expect(chunks.map(({ status }) => status)).toEqual(Array.from({ length: 13 }, () => 'succeeded'));
    expect(chunks.filter(({ attempts }) => attempts > 1)).toMatchObject([{ number: 1, attempts: 2 }]);
    expect(chunks.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(1233);
  });

  it('has the labels of all days but the last, and of the one that was wrong what was said before', async () => {
    const isLate = new Map(inProduction().heldBack.map(({ flight, late }) => [subjectOf(flight), late]));
    for (const { subject, truth } of first.ledger.predictions) {
      if (truth !== null) expect([subject, truth.label]).toEqual([subject, isLate.get(subject) ? 'late' : 'punctual']);
    }
    const lastDay = inProduction().heldBack.filter(({ flight }) => flight.departure.getUTCDate() === 31);
    expect(lastDay).toHaveLength(first.counts.unlabelled);
    const { current, replaced } = first.labels.history;
    expect(current).toMatchObject({ label: 'punctual', revision: 2 });
    expect(replaced.map(({ label }) => label)).toEqual(['late']);
    expect(replaced[0]?.observedAt.getTime()).toBeLessThan(current.observedAt.getTime());
    const filter = { filter: 'revision > 1' };
    const revised = await withTenant(db, tenant, (tx) => listLabels(tx, { name: 'late-arrival', ...filter }));
    expect(revised.items).toEqual([current]);
  });

  it('is worth the same in SQL over ledger and labels as from arrays', () => {
    const { inSql, fromArrays } = first.ledger;
    expect(inSql.n).toBe(1333);
    expect(inSql.auc).toBeCloseTo(fromArrays, 12);
    // Without the last day it is about what it is of the whole month.
    expect(Math.abs(fromArrays - inProduction().heldBackAuc)).toBeLessThan(0.01);
  });

  it('is left as it is when it is run again', async () => {
    const seen: number[] = [];
    const again = await predict((rows) => seen.push(rows));
    expect(seen).toEqual([]);
    expect([again.online, again.batch, again.labels].map(({ isNew }) => isNew)).toEqual([false, false, false]);
    const withoutNew = ({ online, batch, labels, ...rest }: MonthReport) => ({
      ...rest,
      online: { ...online, isNew: false },
      batch: { ...batch, isNew: false },
      labels: { ...labels, isNew: false },
    });
    expect(withoutNew(again)).toEqual(withoutNew(first));
  });

  it('fails where the counts do not add up, and says which', () => {
    const month = splitMonth(inProduction());
    const { ledger, online, batch } = first;
    const [, ...allButOne] = ledger.predictions;
    const counted = (predictions: typeof ledger.predictions, cache: { hits: number; misses: number }, n = 1333) =>
      countMonth(month, { predictions, inSql: { ...ledger.inSql, n } }, cache, batch);
    expect(counted(ledger.predictions, online.cache)).toEqual(first.counts);
    expect(() => counted(allButOne, online.cache)).toThrow(
      'The counts do not add up: 136 online + 1233 batch is 1369, and not the 1370 flights of the month.',
    );
    const doubled = ledger.predictions.map((prediction) => ({ ...prediction, subject: 'flight 1' }));
    expect(() => counted(doubled, online.cache)).toThrow('1 of different flights is 1, and not the 1370 flights');
    expect(() => counted(ledger.predictions, { hits: 45, misses: 137 })).toThrow('is 182, and not the 183 asks');
    expect(() => counted(ledger.predictions, online.cache, 1332)).toThrow('1332 evaluated is 1332, and not the 1333');
  });

  it('is refused where the version in production is none of those that were fitted', async () => {
    const others: readonly FittedVersion[] = [coast.trained[0]];
    await expect(predictMonth(db, tenant, others, { url: database.serviceUrl })).rejects.toThrow(
      'Version 2 is in production, which the example has not fitted.',
    );
  });
});
