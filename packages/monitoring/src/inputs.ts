import { z } from 'zod';
import { MONITORING_LIMITS } from './limits.ts';

// What the functions' inputs are made of.

const datePattern = /^\d{4}-\d{2}-\d{2}$/;

/** A day such as 2026-05-04, in the baseline's time zone. */
const dayInput = z
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
