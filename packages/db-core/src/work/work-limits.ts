import { z } from 'zod';
import { DomainError } from '../errors.ts';

export const OUTBOX_LIMITS = { topicLength: 128, subjectIdLength: 256, payloadBytes: 65_536 } as const;

export const WORK_LIMITS = {
  kindLength: 64,
  workKeyLength: 256,
  claimLimit: 1_000,
  concurrency: 1_000,
  leaseMs: 86_400_000,
  handlerTimeoutMs: 86_400_000,
  errorCodeLength: 64,
} as const;

export const IDEMPOTENCY_LIMITS = {
  scopeLength: 128,
  keyLength: 255,
  responseBytes: 262_144,
  ttlMs: 30 * 86_400_000,
  defaultTtlMs: 86_400_000,
} as const;

export const RETENTION_LIMITS = { batchSize: 10_000 } as const;

const unprintable = /[\p{Cc}\p{Cs}]/u;

/** Takes text of 1 to `limit` characters without control characters. @throws DomainError `invalid_input`. */
export function limitedText(text: unknown, field: string, limit: number): string {
  if (typeof text === 'string' && text.length > 0 && text.length <= limit && !unprintable.test(text)) return text;
  throw new DomainError('invalid_input', `${field} must be 1 to ${limit} characters without control characters.`, {
    details: { field, limit },
  });
}

/** As limitedText, for inputs that are parsed. */
export const lineInput = (limit: number) =>
  z
    .string()
    .min(1)
    .max(limit)
    .refine((text) => !unprintable.test(text), 'must not hold control characters or unpaired surrogates');

/** Takes a whole number from `min` to `max`. @throws DomainError `invalid_input`. */
export function wholeNumber(value: unknown, field: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new DomainError('invalid_input', `${field} must be a whole number from ${min} to ${max}.`, {
    details: { field, min, max },
  });
}
