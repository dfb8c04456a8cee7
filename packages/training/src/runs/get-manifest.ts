import { createHash } from 'node:crypto';
import { type Id, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { and, eq, isNull } from 'drizzle-orm';
import { z } from 'zod';
import { runId } from '../inputs.ts';
import { runNotFound } from '../not-found.ts';
import { trainingArtifacts, trainingRuns } from '../schema.ts';
import type { Artifact } from './list-artifacts.ts';

export const GetManifestInput = z.strictObject({ runId });
export type GetManifestInput = Readonly<z.input<typeof GetManifestInput>>;

/** All that a run has put out. */
export interface Manifest {
  readonly runId: Id<'Run'>;
  /** In the order of the bytes of their paths as UTF-8. */
  readonly artifacts: readonly Artifact[];
  /** Of the artifacts whose size is known. */
  readonly totalBytes: number;
  /**
   * SHA-256, lower-case hex, of the UTF-8 text that has one line an artifact in this order: its sha256 or `-`, a space,
   * its bytes or `-`, a space, its path, a line feed. Two runs that put out the same files have the same digest, wherever
   * the files lie.
   */
  readonly digest: string;
  /** False where an artifact has no sha256: then equal digests do not prove equal content. */
  readonly isComplete: boolean;
}

/** The run's manifest. One statement, no lock. @throws DomainError `not_found` where the run is not there or deleted. */
export async function getManifest(tx: TenantTx, input: GetManifestInput): Promise<Manifest> {
  const given = parseInput(GetManifestInput, input);
  const rows = await tx
    .select({ id: trainingRuns.id, artifact: trainingArtifacts })
    .from(trainingRuns)
    .leftJoin(
      trainingArtifacts,
      and(eq(trainingArtifacts.tenantId, trainingRuns.tenantId), eq(trainingArtifacts.runId, trainingRuns.id)),
    )
    .where(
      and(
        eq(trainingRuns.tenantId, tenantOf(tx)),
        eq(trainingRuns.id, given.runId as Id<'Run'>),
        isNull(trainingRuns.deletedAt),
      ),
    );
  const [first] = rows;
  if (first === undefined) throw runNotFound();
  // By bytes and here: the database sorts by its collation, which is another on another server.
  const artifacts = rows
    .flatMap(({ artifact }) => (artifact === null ? [] : [{ artifact, bytes: Buffer.from(artifact.path) }]))
    .sort((one, other) => Buffer.compare(one.bytes, other.bytes))
    .map(({ artifact }) => artifact);
  const digest = createHash('sha256');
  for (const { sha256, bytes, path } of artifacts) digest.update(`${sha256 ?? '-'} ${bytes ?? '-'} ${path}\n`);
  return {
    runId: first.id,
    artifacts,
    totalBytes: artifacts.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    digest: digest.digest('hex'),
    isComplete: artifacts.every(({ sha256 }) => sha256 !== null),
  };
}
