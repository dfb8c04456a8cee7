import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { modelRegistry } from '@mcp-hub/registry/schema';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { fencingToken, runId } from '../inputs.ts';
import { runModelNotFound, runVersionNotFound } from '../not-found.ts';
import { type RunModelRole, runModelRoles, trainingRunModels } from '../schema.ts';
import { changeRun } from './change-run.ts';
import { findLockedRun, requireLive, requireToken } from './lock-run.ts';

export const runModelRole = z.enum(runModelRoles);

export const LinkRunModelInput = z.strictObject({
  runId,
  /** The id of a version of the registry, as registerVersion gave it. */
  versionId: z.uuid(),
  /** output: the run produced it. input: the run began from it. Default output. */
  role: runModelRole.optional(),
  /** Asked for by nobody, since pipelines link what others trained; where it is given it must be the run's present one. */
  fencingToken,
});
export type LinkRunModelInput = Readonly<z.input<typeof LinkRunModelInput>>;

/**
 * Says that a run produced a model version, or began from one. A link that is there stays as it is. Under the run's lock,
 * then that of the version's row, so that neither is deleted meanwhile; two round trips. Announces `run.model_linked`.
 *
 * @throws DomainError `not_found` without the run or the version, also where that is deleted; `failed_precondition` where
 *   the run is deleted; `conflict` that isLeaseLost recognises where a token is given and no longer the run's.
 */
export async function linkRunModel(tx: TenantTx, input: LinkRunModelInput): Promise<void> {
  const { role = 'output', ...given } = parseInput(LinkRunModelInput, input);
  const { run, version, isLinked } = await readLink(tx, { ...given, role });
  const live = requireLive(run);
  if (given.fencingToken !== undefined) requireToken(live, given.fencingToken);
  if (version === undefined || version.deletedAt !== null) throw runVersionNotFound();
  if (isLinked) return;
  await Promise.all([
    tx.insert(trainingRunModels).values({ runId: live.id, versionId: version.id, role }),
    changeRun(tx, live, {
      kind: 'model_linked',
      model: { versionId: version.id, name: version.name, version: version.version, role },
    }),
  ]);
}

export const UnlinkRunModelInput = z.strictObject({ runId, versionId: z.uuid(), role: runModelRole.optional() });
export type UnlinkRunModelInput = Readonly<z.input<typeof UnlinkRunModelInput>>;

/**
 * Takes such a link back; that of a deleted version too. Under the run's lock; two round trips. Announces
 * `run.model_unlinked`.
 *
 * @throws DomainError `not_found` without the run or the link; `failed_precondition` where the run is deleted.
 */
export async function unlinkRunModel(tx: TenantTx, input: UnlinkRunModelInput): Promise<void> {
  const { role = 'output', ...given } = parseInput(UnlinkRunModelInput, input);
  const { run, version, isLinked } = await readLink(tx, { ...given, role });
  const live = requireLive(run);
  if (version === undefined || !isLinked) throw runModelNotFound();
  await Promise.all([
    tx
      .delete(trainingRunModels)
      .where(
        and(
          eq(trainingRunModels.tenantId, tenantOf(tx)),
          eq(trainingRunModels.runId, live.id),
          eq(trainingRunModels.versionId, version.id),
          eq(trainingRunModels.role, role),
        ),
      ),
    changeRun(tx, live, {
      kind: 'model_unlinked',
      model: { versionId: version.id, name: version.name, version: version.version, role },
    }),
  ]);
}

interface LinkInput {
  readonly runId: string;
  readonly versionId: string;
  readonly role: RunModelRole;
}

/** Locks the run and the version, in one flight, and looks whether they are linked. */
async function readLink(tx: TenantTx, { runId: id, versionId, role }: LinkInput) {
  const tenant = tenantOf(tx);
  const { name, version, deletedAt } = modelRegistry;
  const [run, [found], links] = await Promise.all([
    findLockedRun(tx, id),
    tx
      .select({ id: modelRegistry.id, name, version, deletedAt })
      .from(modelRegistry)
      .where(and(eq(modelRegistry.tenantId, tenant), eq(modelRegistry.id, versionId as Id<'ModelVersion'>)))
      .for('no key update'),
    tx
      .select({ role: trainingRunModels.role })
      .from(trainingRunModels)
      .where(
        and(
          eq(trainingRunModels.tenantId, tenant),
          eq(trainingRunModels.runId, id as Id<'Run'>),
          eq(trainingRunModels.versionId, versionId as Id<'ModelVersion'>),
          eq(trainingRunModels.role, role),
        ),
      ),
  ]);
  return { run, version: found, isLinked: links.length > 0 };
}
