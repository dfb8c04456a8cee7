import { createHmac, timingSafeEqual } from 'node:crypto';

/** Of HTTP, as node gives their names. */
export const WEBHOOK_HEADERS = {
  /** The id of the delivery: the same with each attempt. */
  idempotencyKey: 'idempotency-key',
  /** When it was signed, in seconds since 1970. */
  timestamp: 'x-mcp-hub-timestamp',
  /** `v1=` and HMAC-SHA256 over the timestamp, a dot and the body, in hex. */
  signature: 'x-mcp-hub-signature',
} as const;

/** The signature of a body that is sent at a time, in seconds since 1970. */
export function signWebhook(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

export interface VerifyWebhookInput {
  readonly secret: string;
  /** As node's `request.headers`: lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As it was received, to the byte. */
  readonly body: string;
  /** Default: the clock of the process. */
  readonly now?: Date;
  /** How far its timestamp may lie from now, against those who send again what they once saw. Default 300,000. */
  readonly toleranceMs?: number;
}

/**
 * For a receiver: whether a request was signed with the secret, lately. Takes the same time for each wrong signature. What is
 * received twice within the tolerance has the same idempotency key.
 */
export function verifyWebhook({
  secret,
  headers,
  body,
  now = new Date(),
  toleranceMs = 300_000,
}: VerifyWebhookInput): boolean {
  const { [WEBHOOK_HEADERS.timestamp]: timestamp, [WEBHOOK_HEADERS.signature]: signature } = headers;
  if (typeof timestamp !== 'string' || typeof signature !== 'string' || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(Number(timestamp) * 1_000 - now.getTime()) > toleranceMs) return false;
  const [given, expected] = [Buffer.from(signature), Buffer.from(signWebhook(secret, timestamp, body))];
  return given.length === expected.length && timingSafeEqual(given, expected);
}
