import { once } from 'node:events';
import type { PredictionInput } from '@mcp-hub/predictions';
import type postgres from 'postgres';

/** What the fastest way in costs: COPY into the table itself, past row level security, which only a superuser may. */
export async function copyAsSuperuser(
  admin: postgres.Sql,
  o: { readonly tenant: string; readonly versionId: string; readonly rows: readonly PredictionInput[] },
): Promise<void> {
  const sink = await admin`
    copy predictions (tenant_id, id, model_version_id, subject, label, score, numbers, categories, latency_ms)
      from stdin`.writable();
  let chunk = '';
  for (const { id, subject, label, score, features, latencyMs } of o.rows) {
    const values = Object.values(features ?? {});
    const numbers = values.filter((value) => typeof value === 'number').join(',');
    const categories = values.filter((value) => typeof value === 'string').join(',');
    chunk += `${o.tenant}\t${id}\t${o.versionId}\t${subject}\t${label}\t${score}\t{${numbers}}\t{${categories}}\t${latencyMs}\n`;
    if (chunk.length < 65_536) continue;
    if (!sink.write(chunk)) await once(sink, 'drain');
    chunk = '';
  }
  sink.end(chunk);
  await once(sink, 'finish');
}
