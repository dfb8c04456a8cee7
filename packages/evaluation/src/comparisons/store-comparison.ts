import {
  DomainError,
  float8Array,
  newId,
  recordEvent,
  type TenantTx,
  tenantOf,
  textArray,
  toId,
  uuidArray,
} from '@mcp-hub/db-core';
import { and, eq, sql } from 'drizzle-orm';
import type { VersionSubject } from '../inputs.ts';
import { EVALUATION_LIMITS } from '../limits.ts';
import { higherIsBetter } from '../metric-direction.ts';
import { versionNotFound } from '../not-found.ts';
import { versionIdOf } from '../version-id-of.ts';
import type { Compared } from './compare-outputs.ts';
import { adjustFamily, decideComparison } from './decide-comparison.ts';
import { type ComparisonTest, comparisonFamilies, type FamilyCorrection, modelComparisons } from './schema.ts';

export interface ComparisonFacts {
  readonly baseline: VersionSubject;
  readonly candidate: VersionSubject;
  readonly dataset: { readonly name: string; readonly digest: string };
  readonly split: string;
  readonly slice: string;
  readonly test: ComparisonTest;
  readonly alpha: number;
  readonly margin: number;
  readonly family: { readonly name: string; readonly correction?: FamilyCorrection | undefined } | undefined;
}

/** Writes a comparison, and the adjusted p and decisions of its family. Gives its id. */
export async function storeComparison(tx: TenantTx, facts: ComparisonFacts, found: Compared): Promise<string> {
  const { family } = facts;
  // The family's lock leaves before the statement that reads its members, which so sees who held the lock before.
  const [versions, correction, members] = await Promise.all([
    readVersions(tx, facts),
    family === undefined ? undefined : lockFamily(tx, family),
    family === undefined ? [] : readMembers(tx, family.name),
  ]);
  if (family?.correction !== undefined && correction !== family.correction) {
    throw new DomainError('conflict', 'The family has another correction. Leave it out, or take another family.', {
      details: { field: 'family.correction' },
    });
  }
  if (members.length >= EVALUATION_LIMITS.familyMembers) {
    const limit = EVALUATION_LIMITS.familyMembers;
    throw new DomainError('failed_precondition', `A family holds at most ${limit} comparisons.`, {
      details: { limit },
    });
  }
  const id: string = newId();
  const direction = higherIsBetter(found.metric);
  const p = [...members.map(({ pValue }) => pValue), found.pValue];
  const adjustedAll = correction === undefined ? p : adjustFamily(correction, p);
  const adjustedP = adjustedAll.at(-1) ?? null;
  const { alpha, margin, dataset, split, slice, test } = facts;
  const decision = decideComparison({ ...found, alpha, margin, adjustedP, higherIsBetter: direction });
  await Promise.all([
    tx.insert(modelComparisons).values({
      ...found,
      ...{ id: toId<'Comparison'>(id, 'id'), ...versions, datasetName: dataset.name, datasetDigest: dataset.digest },
      ...{ split, slice, test, alpha, margin, confidence: 1 - alpha, higherIsBetter: direction, adjustedP, decision },
      family: family?.name ?? null,
    }),
    writeMembers(
      tx,
      members.map((member, at) => ({ ...member, adjustedP: adjustedAll[at] ?? null })),
    ),
    recordEvent(tx, {
      topic: 'comparison.recorded',
      subjectId: id,
      payload: { ...versions, test, metric: found.metric, decision },
    }),
  ]);
  return id;
}

async function readVersions(tx: TenantTx, { baseline, candidate }: ComparisonFacts) {
  const [found] = await tx.execute<{ baseline: string | null; candidate: string | null }>(sql`
    select ${versionIdOf(tx, baseline)} as baseline, ${versionIdOf(tx, candidate)} as candidate`);
  if (found?.baseline == null || found.candidate === null) throw versionNotFound();
  if (found.baseline === found.candidate) {
    throw new DomainError('invalid_input', 'candidate must be another version than baseline.', {
      details: { field: 'candidate' },
    });
  }
  return {
    baselineVersionId: toId<'ModelVersion'>(found.baseline, 'baseline'),
    candidateVersionId: toId<'ModelVersion'>(found.candidate, 'candidate'),
  };
}

/** Makes the family where it is not there, and holds its row until the transaction ends. Default Holm's. */
async function lockFamily(
  tx: TenantTx,
  { name, correction = 'holm' }: NonNullable<ComparisonFacts['family']>,
): Promise<FamilyCorrection | undefined> {
  const [row] = await tx.execute<{ correction: FamilyCorrection }>(sql`
    insert into ${comparisonFamilies} as f (tenant_id, name, correction) values (${tenantOf(tx)}, ${name}, ${correction})
        on conflict (tenant_id, name) do update set correction = f.correction
    returning correction`);
  return row?.correction;
}

type Member = Awaited<ReturnType<typeof readMembers>>[number];

async function readMembers(tx: TenantTx, family: string) {
  const { id, pValue, difference, lower, upper, alpha, margin, adjustedP, decision } = modelComparisons;
  return await tx
    .select({
      ...{ id, pValue, difference, lower, upper, alpha, margin, adjustedP, decision },
      higherIsBetter: modelComparisons.higherIsBetter,
      before: adjustedP,
    })
    .from(modelComparisons)
    .where(and(eq(modelComparisons.tenantId, tenantOf(tx)), eq(modelComparisons.family, family)))
    .orderBy(id);
}

async function writeMembers(tx: TenantTx, members: readonly Member[]): Promise<void> {
  const changed = members.filter(({ adjustedP, before }) => adjustedP !== before);
  if (changed.length === 0) return;
  await tx.execute(sql`
    update ${modelComparisons} c set adjusted_p = given.p, decision = given.decision
      from unnest(${uuidArray(changed.map(({ id }) => id))}, ${float8Array(changed.map(({ adjustedP }) => adjustedP))},
                  ${textArray(changed.map(decideComparison))}) as given (id, p, decision)
     where c.tenant_id = ${tenantOf(tx)} and c.id = given.id`);
}

/**
 * Removes a comparison, and decides those that are left in its family anew, under the lock of the family's row. Gives
 * undefined where it is not there.
 */
export async function eraseComparison(
  tx: TenantTx,
  comparisonId: string,
): Promise<{ candidateVersionId: string } | undefined> {
  const isIt = and(
    eq(modelComparisons.tenantId, tenantOf(tx)),
    eq(modelComparisons.id, toId(comparisonId, 'comparisonId')),
  );
  const { family, candidateVersionId } = modelComparisons;
  const [found] = await tx.select({ family, candidateVersionId }).from(modelComparisons).where(isIt);
  if (found === undefined) return undefined;
  const name = found.family;
  // Drizzle sends a statement when it is awaited: here, before the members are read.
  const erase = async () => await tx.delete(modelComparisons).where(isIt).returning({ id: modelComparisons.id });
  const [correction, erased, members] = await Promise.all([
    name === null ? undefined : lockFamily(tx, { name }),
    erase(),
    name === null ? [] : readMembers(tx, name),
  ]);
  // Another transaction has erased it while this one waited.
  if (erased.length === 0) return undefined;
  if (correction !== undefined) await writeMembers(tx, adjusted(members, correction));
  return found;
}

function adjusted(members: readonly Member[], correction: FamilyCorrection): readonly Member[] {
  const found = adjustFamily(
    correction,
    members.map(({ pValue }) => pValue),
  );
  return members.map((member, at) => ({ ...member, adjustedP: found[at] ?? null }));
}
