import { type Database, withTenant } from '@mcp-hub/db-core';
import { findVersion, registerVersion, setVersionTag } from '@mcp-hub/registry';
import { linkRunModel } from '@mcp-hub/training';
import { actor } from './actor.ts';
import { modelName } from './late-arrival-models.ts';
import type { TrainedVersion } from './train-run.ts';

/**
 * Registers the version that a run has fitted, and links the run to it, in one transaction. Where the version is there
 * already its digest must be the same. Says whether it is new.
 */
export async function registerTrained(
  db: Database,
  tenant: string,
  trained: TrainedVersion,
  uriOf: (path: string) => string,
): Promise<boolean> {
  const { version, artifact, model } = trained;
  const contentDigest = `sha256:${artifact.sha256}`;
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      const known = await findVersion(tx, { name: modelName, version });
      if (known !== undefined && known.contentDigest !== contentDigest) {
        throw new Error(`Version ${version} is registered with another digest: the fit is not what it was.`);
      }
      const registered =
        known ??
        (await registerVersion(tx, {
          name: modelName,
          version,
          description: trained.description,
          artifactUri: uriOf(artifact.path),
          artifactBytes: artifact.content.byteLength,
          contentDigest,
          flavour: 'logistic-regression-json',
          inputSignature: {
            type: 'object',
            required: [...model.features],
            properties: Object.fromEntries(model.features.map((name) => [name, { type: 'number' }])),
          },
          outputSignature: { type: 'number', minimum: 0, maximum: 1 },
          tags: { dataset: 'flights-20k', held_back: '2001-03' },
        }));
      const held_back_auc = trained.heldBackAuc.toFixed(4);
      await setVersionTag(tx, { name: modelName, version, key: 'held_back_auc', value: held_back_auc });
      await linkRunModel(tx, { runId: trained.runId, versionId: registered.id });
      return known === undefined;
    },
    { actor },
  );
}
