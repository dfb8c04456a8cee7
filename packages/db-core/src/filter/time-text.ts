const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?([Zz]|[+-]\d{2}(?::?\d{2})?))?$/;

/**
 * A time in its one form, ISO 8601 in UTC with milliseconds or, where given, microseconds; undefined if it is none.
 *
 * A date alone is its midnight in UTC. A time of day needs `Z` or an offset: without one its meaning would depend on the
 * reader. Years 0001 to 9999.
 */
export function canonicalTime(input: string | Date): string | undefined {
  if (input instanceof Date) return inRange(input) ? input.toISOString() : undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] =
    ISO.exec(input) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const date = new Date(local);
  // Date rolls 30 February over to March and takes 24:00; the database would refuse or read it differently.
  if (!Number.isFinite(date.getTime()) || date.toISOString() !== local) return undefined;
  const offset = offsetMinutes(zone);
  if (offset === undefined) return undefined;
  const utc = new Date(date.getTime() - offset * 60_000);
  if (!inRange(utc)) return undefined;
  const micros = fraction.padEnd(6, '0');
  const digits = micros.endsWith('000') ? micros.slice(0, 3) : micros;
  return `${utc.toISOString().slice(0, 19)}.${digits}Z`;
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  // PostgreSQL takes offsets up to 15:59.
  if (hours > 15 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function inRange(date: Date): boolean {
  const year = date.getUTCFullYear();
  return Number.isFinite(date.getTime()) && year >= 1 && year <= 9_999;
}
