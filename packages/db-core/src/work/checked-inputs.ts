import { z } from 'zod';
import { DomainError } from '../errors.ts';

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
