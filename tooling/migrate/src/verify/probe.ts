import type { ProbeRuleName } from './prober.ts';
import type { Rule } from './rule.ts';

const protects: Readonly<Record<ProbeRuleName, string>> = {
  'probe-two-tenants': 'Whatever the catalog says: a tenant sees the row that it inserted, and another does not.',
  'probe-without-tenant': 'A session that forgot its tenant must see nothing and write nothing.',
  'probe-cross-tenant': 'No tenant may insert for another, take its rows, delete them, or give rows away.',
  'probe-every-table': 'No role may see a row of any table without a tenant, or as a tenant that never wrote one.',
  'probe-context-function':
    'All services enter a tenant through app_set_tenant; an id that it bends or lets through enters another one.',
};

/** What `runProbe` saw, by rule. */
export const probeRules: readonly Rule[] = (Object.keys(protects) as ProbeRuleName[]).map((name) => ({
  name,
  protects: protects[name],
  check: ({ probe }) =>
    probe.filter((finding) => finding.rule === name).map(({ object, message }) => ({ object, message })),
}));
