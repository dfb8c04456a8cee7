import { nameInput } from '@mcp-hub/db-core';
import { parseModelReference, REGISTRY_LIMITS } from '@mcp-hub/registry';
import { z } from 'zod';
import { MONITORING_LIMITS } from './limits.ts';

// What the functions' inputs are made of.

const modelName = nameInput(REGISTRY_LIMITS.nameLength);
const versionName = nameInput(REGISTRY_LIMITS.nameLength);

const isReference = (text: string): boolean => {
  try {
    parseModelReference(text);
    return true;
  } catch {
    return false;
  }
};

/** A model version by name and version, by its id, or by a reference such as `churn@champion`. */
export const versionSubject = {
  name: modelName.optional(),
  version: versionName.optional(),
  versionId: z.uuid().optional(),
  reference: z.string().refine(isReference, 'must read model@alias, model/version or model:stage').optional(),
};

export interface VersionSubject {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly versionId?: string | undefined;
  readonly reference?: string | undefined;
}

export const namesOneVersion = ({ name, version, versionId, reference }: VersionSubject) =>
  Number(name !== undefined && version !== undefined) +
    Number(versionId !== undefined) +
    Number(reference !== undefined) ===
    1 && (name === undefined) === (version === undefined);
export const ONE_VERSION =
  'must name the version by name and version, by versionId, or by reference, and by one of these';

const datePattern = /^\d{4}-\d{2}-\d{2}$/;

/** A day such as 2026-05-04, in the baseline's time zone. */
export const dayInput = z
  .string()
  .refine(
    (text) =>
      datePattern.test(text) &&
      !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) &&
      text >= '2000-01-01' &&
      text < '2100-01-01',
    'must be a day of the years 2000 to 2099, as YYYY-MM-DD',
  );

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
};

/** The name of a time zone, such as Europe/Berlin. */
export const timeZoneInput = z.string().max(100).refine(isZone, 'must be a time zone such as UTC or Europe/Berlin');

/** Days, both included. */
export const dayWindow = {
  fromDay: dayInput,
  toDay: dayInput,
};

export const isDayWindow = ({ fromDay, toDay }: { readonly fromDay: string; readonly toDay: string }) =>
  fromDay <= toDay && (Date.parse(toDay) - Date.parse(fromDay)) / 86_400_000 < MONITORING_LIMITS.windowDays;
export const DAY_WINDOW = `must have fromDay before or on toDay, and at most ${MONITORING_LIMITS.windowDays} days`;
