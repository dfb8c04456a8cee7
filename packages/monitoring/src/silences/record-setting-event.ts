import type { TenantTx } from '@mcp-hub/db-core';
import { alertSettingEvents, type settingChanges, type settingSubjects } from './schema.ts';

interface SettingEvent {
  readonly subject: (typeof settingSubjects)[number];
  readonly subjectId: string;
  readonly kind: (typeof settingChanges)[number];
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Writes the row of alert_setting_events. The only place that does. */
export async function recordSettingEvent(tx: TenantTx, event: SettingEvent): Promise<void> {
  await tx.insert(alertSettingEvents).values(event);
}
