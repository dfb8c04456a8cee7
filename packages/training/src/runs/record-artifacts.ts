import {
  int8Array,
  jsonArray,
  nameInput,
  parseInput,
  type TenantTx,
  tenantOf,
  textArray,
  textInput,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { fencingToken, jsonObject, runId } from '../inputs.ts';
import { TRAINING_LIMITS } from '../limits.ts';
import { trainingArtifacts } from '../schema.ts';
import { lockRun, requireToken } from './lock-run.ts';

/** Relative and in one form only, so that a file has one path and whoever downloads it stays in their folder. */
const artifactPath = nameInput(TRAINING_LIMITS.artifactPathLength).refine(
  (path) => !path.includes('\\') && path.split('/').every((step) => step !== '' && step !== '.' && step !== '..'),
  'must be relative, with "/" between its steps, none of them empty, "." or ".."',
);
export const artifactKind = nameInput(TRAINING_LIMITS.artifactKindLength);

export const NewArtifact = z.strictObject({
  path: artifactPath,
  /** What it is, such as `model`, `checkpoint`, `plot`. Default `file`. */
  kind: artifactKind.optional(),
  /** Where it lies. */
  uri: textInput(TRAINING_LIMITS.artifactUriLength).nullish(),
  bytes: z.int().min(0).nullish(),
  /** Hex, in any case. */
  sha256: z
    .string()
    .toLowerCase()
    .refine((text) => /^[0-9a-f]{64}$/.test(text), 'must be 64 hexadecimal digits')
    .nullish(),
  metadata: jsonObject.optional(),
});
export type NewArtifact = Readonly<z.input<typeof NewArtifact>>;

export const RecordArtifactsInput = z.strictObject({
  runId,
  fencingToken,
  artifacts: z
    .array(NewArtifact)
    .max(TRAINING_LIMITS.artifactsAtOnce)
    .refine(
      (given) => new Set(given.map(({ path }) => path)).size === given.length,
      'must name each path once, so that what it becomes does not depend on an order',
    ),
});
export type RecordArtifactsInput = Readonly<z.input<typeof RecordArtifactsInput>>;

/**
 * Writes into the run's manifest what it has put out: all of it, or nothing. A path that is there already becomes what is
 * given now; written again as it is, it stays as it was. Under the run's lock; two round trips.
 *
 * @throws DomainError `conflict` that isLeaseLost recognises where the run was taken from its holder;
 *   `failed_precondition` where it is deleted; `not_found`.
 */
export async function recordArtifacts(tx: TenantTx, input: RecordArtifactsInput): Promise<void> {
  const given = parseInput(RecordArtifactsInput, input);
  const run = await lockRun(tx, given.runId);
  requireToken(run, given.fencingToken);
  const { artifacts } = given;
  await tx.execute(sql`
    insert into ${trainingArtifacts} as a (tenant_id, run_id, path, kind, uri, bytes, sha256, metadata)
    select ${tenantOf(tx)}, ${run.id}::uuid, given.*
      from unnest(${textArray(artifacts.map(({ path }) => path))},
                  ${textArray(artifacts.map(({ kind }) => kind ?? 'file'))},
                  ${textArray(artifacts.map(({ uri }) => uri ?? null))},
                  ${int8Array(artifacts.map(({ bytes }) => bytes ?? null))},
                  ${textArray(artifacts.map(({ sha256 }) => sha256 ?? null))},
                  ${jsonArray(artifacts.map(({ metadata }) => metadata ?? {}))}) as given
        on conflict (tenant_id, run_id, path) do update
       set kind = excluded.kind, uri = excluded.uri, bytes = excluded.bytes, sha256 = excluded.sha256,
           metadata = excluded.metadata, actor = excluded.actor, updated_at = excluded.updated_at
     where (a.kind, a.uri, a.bytes, a.sha256, a.metadata) is distinct from
           (excluded.kind, excluded.uri, excluded.bytes, excluded.sha256, excluded.metadata)`);
}
