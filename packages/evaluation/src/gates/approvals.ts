import {
  DomainError,
  defineFilterFields,
  defineList,
  defineOrder,
  newId,
  type Page,
  PageInput,
  parseInput,
  readPage,
  recordEvent,
  type TenantTx,
  textInput,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import { modelName, stageName, versionName } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { versionNotFound } from '../not-found.ts';
import { versionIdOf } from '../version-id-of.ts';
import { gateApprovals } from './schema.ts';

/** A row of gate_approvals: an approval, or the withdrawal of one. */
export type GateApproval = Readonly<typeof gateApprovals.$inferSelect>;

const word = {
  name: modelName,
  version: versionName,
  /** That the version may enter. */
  stage: stageName,
  comment: textInput(EVALUATION_LIMITS.commentLength).nullish(),
};

export const ApproveVersionInput = z.strictObject(word);
export type ApproveVersionInput = Readonly<z.input<typeof ApproveVersionInput>>;

/**
 * Says that the actor of the context approves that a version enters a stage; an actor counts once, by the last word. Two
 * round trips, no lock. Announces `gate.approved`.
 *
 * @throws DomainError `not_found` without the version; `failed_precondition` where withTenant was given no actor.
 */
export async function approveVersion(tx: TenantTx, input: ApproveVersionInput): Promise<void> {
  await recordWord(tx, parseInput(ApproveVersionInput, input), true);
}

export const WithdrawApprovalInput = z.strictObject(word);
export type WithdrawApprovalInput = Readonly<z.input<typeof WithdrawApprovalInput>>;

/** Takes the actor's approval back; otherwise as approveVersion. Announces `gate.approval_withdrawn`. */
export async function withdrawApproval(tx: TenantTx, input: WithdrawApprovalInput): Promise<void> {
  await recordWord(tx, parseInput(WithdrawApprovalInput, input), false);
}

async function recordWord(
  tx: TenantTx,
  { name, version, stage, comment = null }: z.output<typeof ApproveVersionInput>,
  approved: boolean,
): Promise<void> {
  const [found] = await tx.execute<{ version: string | null; actor: string | null }>(sql`
    select ${versionIdOf(tx, { name, version })} as version, nullif(current_setting('app.actor', true), '') as actor`);
  if (found?.version == null) throw versionNotFound();
  if (found.actor === null) {
    throw new DomainError('failed_precondition', 'An approval needs an actor. Name one in the options of withTenant.');
  }
  const versionId = found.version;
  await Promise.all([
    tx.insert(gateApprovals).values({ id: newId(), versionId, stage, approved, comment, actor: found.actor }),
    recordEvent(tx, {
      topic: approved ? 'gate.approved' : 'gate.approval_withdrawn',
      subjectId: versionId,
      payload: { name, version, stage },
    }),
  ]);
}

export const ListApprovalsInput = z.strictObject({
  name: modelName,
  version: versionName,
  stage: stageName.optional(),
  ...PageInput.shape,
});
export type ListApprovalsInput = Readonly<z.input<typeof ListApprovalsInput>>;

const fields = defineFilterFields({ id: uuidField(gateApprovals.id) });
const approvalList = defineList({
  name: 'evaluation.approvals',
  from: gateApprovals,
  columns: getTableColumns(gateApprovals),
  order: defineOrder({ fields, byDefault: [{ field: 'id', direction: 'desc' }], tieBreaker: fields.fields.id }),
});

/** Approvals of a version and withdrawals, the last first, by pages. One statement, no lock. Empty without the version. */
export async function listApprovals(tx: TenantTx, input: ListApprovalsInput): Promise<Page<GateApproval>> {
  const { name, version, stage, ...wanted } = parseInput(ListApprovalsInput, input);
  const condition = and(
    sql`${gateApprovals.versionId} = ${versionIdOf(tx, { name, version })}`,
    stage === undefined ? undefined : eq(gateApprovals.stage, stage),
  );
  return await readPage(tx, approvalList, { ...wanted, within: { condition, of: [name, version, stage ?? null] } });
}
