import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { type Comparison, compareVersions, listComparisons } from '@mcp-hub/evaluation';
import { getVersion } from '@mcp-hub/registry';
import { actor } from '../actor.ts';
import { type FittedVersion, modelName } from '../late-arrival-models.ts';
import { heldBackDays } from './held-back-days.ts';
import { LATE_FROM } from './late-from.ts';

/** All comparisons are one question, whether any candidate is better: their p values are corrected together. */
const family = { name: `${modelName} candidates`, correction: 'holm' } as const;

/** How a candidate compares with the version in production on the same flights. */
export interface ComparedVersion {
  readonly version: string;
  /** Whether this run of the example compared it. */
  readonly isNew: boolean;
  /** In their order: DeLong's of the probabilities, McNemar's of who is called late. */
  readonly comparisons: readonly Comparison[];
}

const tests = [
  { test: 'delong', outputsOf: ({ heldBack }: FittedVersion) => heldBack.map(({ score }) => score) },
  {
    test: 'mcnemar_exact',
    outputsOf: ({ heldBack }: FittedVersion) => heldBack.map(({ score }) => Number(score >= LATE_FROM)),
  },
] as const;

/** Compares candidates with the version in production by both tests, in one transaction; what is there is left as it is. */
export async function compareWithProduction(
  db: Database,
  tenant: string,
  production: FittedVersion,
  candidates: readonly FittedVersion[],
): Promise<readonly ComparedVersion[]> {
  const { labels, dataset } = heldBackDays(production.heldBack);
  const listAll = async (tx: TenantTx) =>
    (await listComparisons(tx, { filter: `family = '${family.name}' AND dataset_digest = '${dataset.digest}'` })).items;
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      const isNew = (await listAll(tx)).length === 0;
      if (isNew) {
        for (const candidate of candidates) {
          for (const { test, outputsOf } of tests) {
            await compareVersions(tx, {
              baseline: { name: modelName, version: production.version, outputs: outputsOf(production) },
              candidate: { name: modelName, version: candidate.version, outputs: outputsOf(candidate) },
              ...{ labels, dataset, test, family },
            });
          }
        }
      }
      // Read when all are there: each one that comes changes the adjusted p of the others.
      const all = await listAll(tx);
      return await Promise.all(
        candidates.map(async ({ version }) => ({ version, isNew, comparisons: await ofVersion(tx, version, all) })),
      );
    },
    { actor },
  );
}

async function ofVersion(tx: TenantTx, version: string, all: readonly Comparison[]): Promise<readonly Comparison[]> {
  const { id } = await getVersion(tx, { name: modelName, version });
  return tests.flatMap(({ test }) => all.find((row) => row.candidateVersionId === id && row.test === test) ?? []);
}
