import { DomainError } from '../errors.ts';
import { bareStatement } from './statement-text.ts';

// Only the first word says what a statement is: the extended protocol refuses a second statement in one string.
const ordinary = /^\(*\s*(?:select|insert|update|delete|with|merge|values|table)\b/;
const explained = /^explain (?:\([^)]*\) ?|(?:analyze|verbose) )*(?=[a-z(])/;
const tuning =
  /^set local (?!role\b|session\b|row_security\b|search_path\b|time\b|transaction\b|app ?\.)[a-z_]+(?: ?\. ?[a-z_]+)? ?(?:=|to\b)/;
// SELECT … INTO makes a table, in the session's own schema if nowhere else.
const makesTable = /(?<!\b(?:insert|merge) )\binto\b/;
// What outlives the transaction, reaches around row level security, or runs SQL that nobody has looked at.
const sessionCall = new RegExp(
  String.raw`\b(?:${[
    'set_config',
    'app_set_tenant',
    'pg_(?:try_)?advisory_lock(?:_shared)?',
    '(?:query|table|cursor|schema|database)_to_xml\\w*',
    'lo_\\w+',
    'lo(?:read|write)',
    'dblink\\w*',
    'pg_(?:read|ls|stat)_(?:binary_)?(?:file|dir)\\w*',
  ].join('|')}) ?\(`,
);
const sessionTable = /\bpg_settings\b|\bpg_temp\w*/;

const accepted = new Set<string>();
const acceptedMax = 5_000;

/**
 * Refuses, in a tenant's transaction, statements that would leave the tenant, end the transaction under the wrapper,
 * or leave something on the connection for the next tenant who gets it: SET, COMMIT, DO, COPY, temporary tables,
 * session-wide locks. It is a rail for the developers of services, not a sandbox for a tenant's own SQL.
 *
 * @throws DomainError `failed_precondition`.
 */
export function guardStatement(text: string): void {
  if (accepted.has(text)) return;
  const bare = bareStatement(text);
  const why = bare === undefined ? 'it cannot be read (U& escapes, or a quote without an end)' : whyNot(bare);
  if (why !== undefined) {
    throw new DomainError(
      'failed_precondition',
      `This statement is not one for a tenant transaction: ${why}. Run SELECT, INSERT, UPDATE, DELETE, MERGE, and SET LOCAL of tuning settings; savepoints by tx.transaction, temporary tables by stageRows, cursors by streamRows.`,
    );
  }
  if (accepted.size >= acceptedMax) accepted.clear();
  accepted.add(text);
}

function whyNot(bare: string): string | undefined {
  if (tuning.test(bare)) return undefined;
  if (!ordinary.test(bare.replace(explained, ''))) return 'its first word is none of those';
  if (makesTable.test(bare)) return 'SELECT INTO makes a table';
  if (sessionCall.test(bare)) return 'it calls a function that reaches past the transaction or the tenant';
  if (sessionTable.test(bare)) return 'it names the session';
  return undefined;
}
