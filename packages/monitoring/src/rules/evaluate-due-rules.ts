import { parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { MONITORING_LIMITS } from '../limits.ts';
import { type EvaluationReport, evaluateClaimed } from './evaluate-claimed.ts';
import { readRules } from './locked-rules.ts';
import { alertRuleClocks, alertRules } from './schema.ts';

export const EvaluateDueRulesInput = z.strictObject({
  /** Rules of this call. Default and maximum 1,000. */
  limit: z.int().min(1).max(MONITORING_LIMITS.rulesAtOnce).optional(),
});
export type EvaluateDueRulesInput = Readonly<z.input<typeof EvaluateDueRulesInput>>;

export interface DueEvaluationReport extends EvaluationReport {
  /** There may be rules left that are due: call again. */
  readonly more: boolean;
}

/**
 * Evaluates the rules that are due, each at the last multiple of its interval; what was missed before that is left out.
 * Rules that another transaction holds are passed over.
 *
 * Three round trips for all of them, and two more where alerts change; the locks of the rules.
 */
export async function evaluateDueRules(tx: TenantTx, input: EvaluateDueRulesInput = {}): Promise<DueEvaluationReport> {
  const { limit = MONITORING_LIMITS.rulesAtOnce } = parseInput(EvaluateDueRulesInput, input);
  const claimed = await claimDueRules(tx, limit);
  // Read after the locks were taken, because whoever held them before may have changed the rule.
  const rules = claimed.size === 0 ? [] : await readRules(tx, [...claimed.keys()]);
  const enabled = rules.filter(({ isEnabled }) => isEnabled);
  const report = await evaluateClaimed(
    tx,
    enabled.map((rule) => ({ rule, at: claimed.get(rule.id) ?? Number.NaN })),
  );
  return { ...report, more: claimed.size === limit };
}

/** The last multiple of a rule's interval, counted from 1970. */
const lastTurn = (intervalMs: SQL): SQL =>
  sql`to_timestamp((floor(extract(epoch from app_now()) * 1000 / ${intervalMs}) * ${intervalMs} / 1000)::float8)::timestamptz(3)`;

/** Sets the clocks of rules that are due to their turns; the turns in milliseconds, by rule. */
async function claimDueRules(tx: TenantTx, limit: number): Promise<ReadonlyMap<string, number>> {
  const tenant = tenantOf(tx);
  const rows = await tx.execute<{ rule_id: string; at_ms: number }>(sql`
    with due as materialized (
      select c.rule_id, turn.at
        from ${alertRules} r
        join ${alertRuleClocks} c on c.tenant_id = ${tenant} and c.rule_id = r.id
       cross join lateral (select ${lastTurn(sql`r.interval_ms`)} as at) turn
       where r.tenant_id = ${tenant} and r.is_enabled and (c.evaluated_at is null or c.evaluated_at < turn.at)
       order by c.rule_id
       limit ${limit}
         for no key update of c skip locked
    )
    update ${alertRuleClocks} c
       set evaluated_at = due.at
      from due
     where c.tenant_id = ${tenant} and c.rule_id = due.rule_id
       and (c.evaluated_at is null or c.evaluated_at < due.at)
    returning c.rule_id, (extract(epoch from due.at) * 1000)::float8 as at_ms`);
  return new Map(rows.map(({ rule_id, at_ms }) => [rule_id, at_ms]));
}

/** When the next rule of the tenant is due; undefined where none is enabled. One statement, no lock. */
export async function nextTurn(tx: TenantTx): Promise<Date | undefined> {
  const tenant = tenantOf(tx);
  const [next] = await tx.execute<{ ms: number | null }>(sql`
    select (extract(epoch from min(case when c.evaluated_at is null or c.evaluated_at < turn.at then app_now()
                                        else turn.at + r.interval_ms * interval '1 millisecond' end)) * 1000)::float8 as ms
      from ${alertRules} r
      join ${alertRuleClocks} c on c.tenant_id = ${tenant} and c.rule_id = r.id
     cross join lateral (select ${lastTurn(sql`r.interval_ms`)} as at) turn
     where r.tenant_id = ${tenant} and r.is_enabled`);
  return next?.ms == null ? undefined : new Date(next.ms);
}
