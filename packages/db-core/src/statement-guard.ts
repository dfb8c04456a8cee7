import { DomainError } from './errors.ts';

// Only the first word counts: the extended protocol refuses a second statement in one string.
const leadingNoise = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()*/;
const ordinary = /^(?:select|insert|update|delete|with|merge|values|table|explain)\b/i;
const tuning =
  /^set\s+local\s+(?!role\b|session\b|app\s*\.|"|row_security\b|search_path\b|time\b)[a-z_.]+\s*(?:=|\bto\b)/i;
const stageTable =
  /^(?:create\s+temp(?:orary)?\s+table\b[\s\S]*\bon\s+commit\s+drop\b|declare\b(?![\s\S]*\bwith\s+hold\b)|fetch\b|close\b|lock\b|analyze\b)/i;
const sessionCall = /\b(?:set_config|app_set_tenant|pg_(?:try_)?advisory_lock(?:_shared)?)"?\s*\(/i;

const accepted = new Set<string>();
const acceptedMax = 5_000;

/**
 * Refuses, in a tenant's transaction, statements that would leave the tenant, end the transaction under the wrapper,
 * or leave something on the connection for the next tenant who gets it: SET, COMMIT, DO, COPY, session-wide objects.
 * It is a rail for the developers of services, not a sandbox for a tenant's own SQL.
 */
export function guardStatement(text: string): void {
  if (accepted.has(text)) return;
  const body = text.replace(leadingNoise, '');
  const fits = ordinary.test(body) || tuning.test(body) || stageTable.test(body);
  if (!fits || sessionCall.test(body)) {
    throw new DomainError(
      'failed_precondition',
      'This statement is not one for a tenant transaction: run SELECT, INSERT, UPDATE, DELETE, MERGE, and SET LOCAL of tuning settings; savepoints by tx.transaction.',
    );
  }
  if (accepted.size >= acceptedMax) accepted.clear();
  accepted.add(text);
}
