import { createHash } from 'node:crypto';
import { seriesText } from '../rules/plan-readings.ts';
import type { AlertLabels } from '../rules/schema.ts';

/**
 * What a series of a rule is known by through all its episodes: SHA-256 over tenant, rule and the labels of the series in
 * the order of their keys, its first 16 bytes as a uuid. No value, severity, time, name of the rule or label that the rule
 * itself gives is in it.
 */
export function fingerprintOf(tenant: string, ruleId: string, labels: AlertLabels): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([tenant, ruleId, seriesText(labels)]))
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
