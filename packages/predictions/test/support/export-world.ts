import { type Database, newId, withTenant } from '@mcp-hub/db-core';
import { registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import {
  type ExportPredictionsInput,
  exportPredictions,
  type PredictionInput,
  recordLabels,
  recordPredictions,
} from '../../src/index.ts';

export const exportNow = new Date('2026-05-04T10:20:30.456Z');

/** A tenant with a version whose predictions are a millisecond apart, the last at `exportNow`. */
export async function exportTenant(db: Database, rows: readonly PredictionInput[]): Promise<string> {
  const tenant = freshTenant();
  const predictions = rows.map((row, n) => ({
    id: newId(new Date(exportNow.getTime() - rows.length + 1 + n)),
    ...row,
  }));
  await withTenant(
    db,
    tenant,
    async (tx) => {
      await registerVersion(tx, { name: 'churn' });
      await recordPredictions(tx, { name: 'churn', version: '1', predictions });
    },
    { now: exportNow },
  );
  return tenant;
}

export const labelled = async (db: Database, tenant: string, labels: Parameters<typeof recordLabels>[1]['labels']) =>
  await withTenant(db, tenant, (tx) => recordLabels(tx, { name: 'churn', labels }), { now: exportNow });

/** The whole file. */
export async function exported(
  db: Database,
  tenant: string,
  input: Partial<ExportPredictionsInput> & Pick<ExportPredictionsInput, 'format'>,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of exportPredictions(db, tenant, { name: 'churn', version: '1', ...input }))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}
