/** Settings by which a function would leave its caller's tenant or role. */
export const contextSetting = /^(role|session_authorization|row_security|session_replication_role|app\..*)$/i;

const comments = /--[^\n]*|\/\*[\s\S]*?\*\//g;

/** Reading the context is what policies do, too. */
const reading = /\bcurrent_setting\s*\(\s*'app\.\w+'/gi;

const changing =
  /\bset_config|\bapp_set_tenant\b|\bapp\.tenant\b|\bset (local |session )?(role|session authorization|row_security|session_replication_role|app\.)|\breset (role|all|session|app\.)|\bdiscard (all|temp)|\bpg_settings\b/i;

/** Behind U&"…" any name can be. */
const escaped = /\bu&["']/i;

/**
 * Whether SQL or PL/pgSQL could change the tenant, the role or row_security. Looks into strings and through quotes
 * ("set_config", 'app.tenant', "app" . "tenant"), and takes escaped names (U&"…") for the worst.
 */
export function changesContext(body: string): boolean {
  return escaped.test(body) || changing.test(plain(body)) || changing.test(plain(body.replace(comments, ' ')));
}

/** By EXECUTE or DO, or by one of the server's functions that take a query. */
const running = /\bexecute\b|\bdo\b\s*(language\b|['$]|e')|\b(query_to_xml\w*|cursor_to_xml\w*|ts_stat|ts_rewrite)\b/i;

/** Whether SQL or PL/pgSQL runs text as SQL. */
export function runsText(body: string): boolean {
  // Not in strings, where `execute` is a word of a message; a string that is run needs one of these outside of it.
  return running.test(body.replace(comments, ' ').replace(/'(?:[^']|'')*'/g, "''"));
}

/** Without quotes, and with one space at most between words and none around dots. */
function plain(body: string): string {
  return body
    .replace(reading, ' ')
    .replaceAll('"', '')
    .replace(/\s+/g, ' ')
    .replace(/ ?\. ?/g, '.');
}
