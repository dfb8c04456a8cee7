import { DomainError, parseInput, type TenantTx, tenantOf, timeParameter } from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { ruleNotFound } from '../not-found.ts';
import { ruleId } from './alert-rule-input.ts';
import { type EvaluationReport, evaluateClaimed } from './evaluate-claimed.ts';
import { readRules, type StoredRule } from './locked-rules.ts';
import { alertRuleClocks } from './schema.ts';

export const EvaluateRuleInput = z.strictObject({
  ruleId,
  /** The time that is evaluated; not later than the context's clock. */
  at: z.date(),
});
export type EvaluateRuleInput = Readonly<z.input<typeof EvaluateRuleInput>>;

/**
 * Evaluates a rule at a time, as runMonitor does at each multiple of its interval. The same time again does nothing, and
 * `evaluated` is 0. Three round trips, and two more where alerts change; the rule's lock.
 *
 * @throws DomainError `conflict` for a time before the last one that was evaluated, `invalid_input` for one that lies
 *   ahead, `failed_precondition` for a rule that is disabled, `not_found`.
 */
export async function evaluateRule(tx: TenantTx, input: EvaluateRuleInput): Promise<EvaluationReport> {
  const { ruleId: id, at } = parseInput(EvaluateRuleInput, input);
  const [outcome, [rule]] = await Promise.all([advanceClock(tx, id, at), readRules(tx, [id])]);
  if (rule === undefined) throw ruleNotFound();
  refuseUnfit(rule, outcome, at);
  return await evaluateClaimed(tx, outcome.isMoved ? [{ rule, at: at.getTime() }] : []);
}

interface Outcome {
  readonly isMoved: boolean;
  readonly isAhead: boolean;
}

/** Takes the rule's lock and sets its clock, unless it stands there or later already. The rule is read after it. */
async function advanceClock(tx: TenantTx, id: string, at: Date): Promise<Outcome> {
  const [outcome] = await tx.execute<{ is_moved: boolean; is_ahead: boolean }>(sql`
    with held as materialized (
      select rule_id, evaluated_at
        from ${alertRuleClocks}
       where tenant_id = ${tenantOf(tx)} and rule_id = ${id}::uuid
         for no key update
    ), moved as (
      update ${alertRuleClocks} c
         set evaluated_at = ${timeParameter(at)}
        from held
       where c.tenant_id = ${tenantOf(tx)} and c.rule_id = held.rule_id and ${timeParameter(at)} <= app_now()
         and (held.evaluated_at is null or held.evaluated_at < ${timeParameter(at)})
      returning 1
    )
    select exists (select from moved) as is_moved, ${timeParameter(at)} > app_now() as is_ahead`);
  if (outcome === undefined) throw new TypeError('A query without a table gives one row');
  return { isMoved: outcome.is_moved, isAhead: outcome.is_ahead };
}

function refuseUnfit({ isEnabled, evaluatedAt }: StoredRule, { isMoved, isAhead }: Outcome, at: Date): void {
  if (isAhead) {
    throw new DomainError('invalid_input', 'at must not be later than now: evaluations do not go back.', {
      details: { field: 'at' },
    });
  }
  if (!isEnabled) throw new DomainError('failed_precondition', 'The rule is disabled. Enable it first.');
  if (!isMoved && evaluatedAt !== null && evaluatedAt > at) {
    throw new DomainError('conflict', 'The rule was evaluated at a later time already: evaluations do not go back.');
  }
}
