import { keepsEachKey, nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { TELEMETRY_LIMITS } from './limits.ts';

// What the functions' inputs are made of.

export const subjectName = nameInput(TELEMETRY_LIMITS.subjectLength);
export const metricName = nameInput(TELEMETRY_LIMITS.metricLength);
export const unitName = nameInput(TELEMETRY_LIMITS.unitLength);

const labelPairs = z
  .record(nameInput(TELEMETRY_LIMITS.labelKeyLength), textInput(TELEMETRY_LIMITS.labelValueLength))
  .refine(
    (labels) => Object.keys(labels).length <= TELEMETRY_LIMITS.labelsPerEvent,
    `must have at most ${TELEMETRY_LIMITS.labelsPerEvent} labels`,
  );

export const labelRecord = keepsEachKey<Readonly<Record<string, string>>>().pipe(labelPairs);

/** NaN and ±Infinity are values; zod's own number refuses them. */
export const measuredValue = z.custom<number>(
  (value) => typeof value === 'number' && (!Number.isFinite(value) || Math.abs(value) <= TELEMETRY_LIMITS.valueSize),
  `must be a number of at most ${TELEMETRY_LIMITS.valueSize} in size, or NaN, Infinity or -Infinity`,
);
