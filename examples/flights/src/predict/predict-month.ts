import { type Database, readOne, withTenant } from '@mcp-hub/db-core';
import type { BatchProgress } from '@mcp-hub/predictions';
import { resolveModel } from '@mcp-hub/registry';
import { type FittedVersion, modelName } from '../late-arrival-models.ts';
import { answerOnline, type OnlineReport } from './answer-online.ts';
import { countMonth, type MonthCounts } from './count-month.ts';
import { deliverLabels, type LabelReport } from './deliver-labels.ts';
import { splitMonth } from './month-of-flights.ts';
import type { OnStep } from './month-step.ts';
import { type MonthInLedger, readMonth } from './read-month.ts';
import { type JobReport, runMonthJob } from './run-month-job.ts';

/** What became of the flights of March. */
export interface MonthReport {
  readonly version: string;
  readonly online: OnlineReport;
  readonly batch: JobReport;
  readonly labels: LabelReport;
  readonly ledger: MonthInLedger;
  readonly counts: MonthCounts;
}

export interface MonthSettings {
  readonly url: string;
  /** Hears how far the batch job is. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined;
  readonly onStep?: OnStep | undefined;
}

/**
 * The version in production predicts March: what is asked online, and the rest as a batch job; then labels come. Each part
 * finds what is there, so that a run that was broken off goes on. @throws where the counts do not add up.
 */
export async function predictMonth(
  db: Database,
  tenant: string,
  versions: readonly FittedVersion[],
  { url, onProgress = () => {}, onStep = () => undefined }: MonthSettings,
): Promise<MonthReport> {
  const { id: versionId, version } = await readOne(db, tenant, (tx) => resolveModel(tx, `${modelName}:production`));
  const fitted = versions.find((candidate) => candidate.version === version);
  if (fitted === undefined) throw new Error(`Version ${version} is in production, which the example has not fitted.`);
  const served = { versionId, version, model: fitted.model };
  const month = splitMonth(fitted);

  const online = await answerOnline(db, tenant, served, month, onStep);
  const batch = await runMonthJob(db, tenant, served, month, { url, onProgress, onStep });
  if (batch.job.status !== 'succeeded' || batch.job.endedAt === null) {
    throw new Error(`The batch job is ${batch.job.status}. Its dead letters, by listDeadLetters, say why.`);
  }
  const labels = await deliverLabels(db, tenant, fitted.heldBack, batch.job.endedAt, onStep);
  const ledger = await withTenant(db, tenant, (tx) => readMonth(tx, versionId));
  return { version, online, batch, labels, ledger, counts: countMonth(month, ledger, online.cache, batch) };
}
