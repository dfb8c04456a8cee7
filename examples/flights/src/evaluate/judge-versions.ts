import { type Database, readOne, withTenant } from '@mcp-hub/db-core';
import { resolveModel, setAlias } from '@mcp-hub/registry';
import { actor } from '../actor.ts';
import { modelName } from '../late-arrival-models.ts';
import type { TrainedVersion } from '../train-run.ts';
import { type ComparedVersion, compareWithProduction } from './compare-with-production.ts';
import { evaluateVersion } from './evaluate-version.ts';
import { heldBackDays } from './held-back-days.ts';
import { ensureGate, type GatedVersion, passGate } from './pass-gate.ts';
import { type EvaluationReport, readEvaluation } from './read-evaluation.ts';

/** What a tenant knows of its versions on the days that were held back, and what came of it. */
export interface JudgedVersions {
  readonly evaluated: readonly EvaluatedVersion[];
  readonly compared: readonly ComparedVersion[];
  /** In the order in which they asked. */
  readonly gated: readonly GatedVersion[];
  /** The versions that `late-arrival:production` and `late-arrival@champion` resolve to. */
  readonly production: string;
  readonly champion: string;
}

export interface EvaluatedVersion extends EvaluationReport {
  readonly version: string;
  /** Whether this run of the example evaluated it. */
  readonly isNew: boolean;
}

/**
 * Evaluates the first version, which is in production, and two candidates, compares these with it, and lets them ask the
 * gate: the last one first, which is refused, and then the one that passes. Whatever is in production then is the champion.
 */
export async function judgeVersions(
  db: Database,
  tenant: string,
  [first, second, tuned]: readonly [TrainedVersion, TrainedVersion, TrainedVersion],
): Promise<JudgedVersions> {
  const evaluated: EvaluatedVersion[] = [];
  for (const trained of [first, second, tuned]) {
    const { evaluationId, isNew } = await evaluateVersion(db, tenant, trained);
    const report = await withTenant(db, tenant, (tx) => readEvaluation(tx, evaluationId));
    evaluated.push({ version: trained.version, isNew, ...report });
  }
  const compared = await compareWithProduction(db, tenant, first, [second, tuned]);
  await ensureGate(db, tenant, heldBackDays(first.heldBack).dataset.digest);
  const gated: GatedVersion[] = [];
  for (const { version } of [tuned, second]) gated.push(await passGate(db, tenant, version));

  const production = await readOne(db, tenant, (tx) => resolveModel(tx, `${modelName}:production`));
  const alias = { name: modelName, alias: 'champion', version: production.version };
  await withTenant(db, tenant, (tx) => setAlias(tx, alias), { actor });
  const champion = await readOne(db, tenant, (tx) => resolveModel(tx, `${modelName}@champion`));
  return { evaluated, compared, gated, production: production.version, champion: champion.version };
}
