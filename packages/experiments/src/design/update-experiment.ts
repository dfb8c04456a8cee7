import { isDeepStrictEqual } from 'node:util';
import { DomainError, type Id, parseInput, type TenantTx } from '@mcp-hub/db-core';
import { z } from 'zod';
import { inOneFlight } from '../in-one-flight.ts';
import { changeExperiment } from '../lifecycle/change-experiment.ts';
import { insertEpoch } from '../lifecycle/current-allocation.ts';
import { type LockedExperiment, lockExperiment, requireStatus } from '../lifecycle/lock-experiment.ts';
import {
  experimentSubject,
  holdoutList,
  hypothesisText,
  judgement,
  layerInput,
  metricList,
  namesOneExperiment,
  ONE_EXPERIMENT,
  reasonText,
  variantList,
} from './experiment-inputs.ts';
import { findReferences, type References } from './find-references.ts';
import { type ExperimentDefinition, getExperiment } from './get-experiment.ts';
import { layOutRanges } from './lay-out-ranges.ts';
import { metricRows } from './metric-rows.ts';
import { refuseSharedSeed } from './refuse-shared-seed.ts';
import { replaceHoldouts, replaceMetrics, replaceVariants } from './replace-parts.ts';
import { readTargeting, TargetingInput } from './targeting.ts';
import { variantRows, weightsOf } from './variant-rows.ts';

/** What units are assigned by. */
const ofDrafts = {
  /** All of them, with all that they are: a variant that keeps its key keeps its id. */
  variants: variantList.optional(),
  /** null: all units. */
  targeting: TargetingInput.nullish(),
  /** null: none. */
  layer: layerInput.nullish(),
  /** All of them, by their keys. */
  holdouts: holdoutList.optional(),
};

export const UpdateExperimentInput = z
  .strictObject({
    ...experimentSubject,
    hypothesis: hypothesisText.optional(),
    /** All of them, with all that they are: a metric that keeps its key keeps its id. */
    metrics: metricList.optional(),
    ...judgement,
    ...ofDrafts,
    reason: reasonText.optional(),
    /** The revision that the change is made to. */
    expectedRevision: z.int().optional(),
  })
  .refine(namesOneExperiment, { error: ONE_EXPERIMENT });
export type UpdateExperimentInput = Readonly<z.input<typeof UpdateExperimentInput>>;

type Given = Omit<z.output<typeof UpdateExperimentInput>, 'key' | 'experimentId' | 'reason' | 'expectedRevision'>;
type Field = keyof Given;

/** What is analysed, and how: a change of it is another revision. */
const analysed: readonly Field[] = [
  ...(['variants', 'metrics', 'test', 'alpha', 'correction', 'plannedUnits', 'minimumUnits'] as const),
];

/**
 * Changes what defines an experiment: what is undefined stays as it is. Variants, targeting, layer and holdouts, by which
 * units are assigned, are changed of a draft alone; variants that change are shared out as the next epoch. Metrics and how
 * they are judged may change until the experiment is archived, each time as another `revision`, which analyses name; the
 * history has both sides. Where nothing differs nothing is written.
 *
 * Under the lock of the experiment; two round trips, three where versions, layer or holdouts are named. Announces
 * `experiment.updated`.
 *
 * @throws DomainError `not_found`, also for what it names; `conflict` where `expectedRevision` is given and another holds;
 *   `failed_precondition` for what the status does not allow; `invalid_input` as createExperiment.
 */
export async function updateExperiment(tx: TenantTx, input: UpdateExperimentInput): Promise<ExperimentDefinition> {
  const { key, experimentId, reason, expectedRevision, ...given } = parseInput(UpdateExperimentInput, input);
  const subject = { key, experimentId };
  const [locked, before] = await inOneFlight(
    () => lockExperiment(tx, subject),
    () => getExperiment(tx, subject),
  );
  refuseByStatus(before, given);
  if (expectedRevision !== undefined && expectedRevision !== before.revision) {
    throw new DomainError('conflict', `The experiment is at revision ${before.revision}. Read it, then change it.`, {
      details: { field: 'expectedRevision', revision: before.revision },
    });
  }
  const references = await referencesOf(tx, given);
  if (references !== undefined && given.holdouts !== undefined) refuseSharedSeed(before.seed, references.holdouts);
  const after = merged(before, given);
  const changed = fields.filter((field) => !isDeepStrictEqual(after[field], partsOf(before)[field]));
  if (changed.length === 0) return before;
  return await write(tx, { locked, before, given, after, changed, references, reason });
}

function refuseByStatus({ status }: ExperimentDefinition, given: Given): void {
  requireStatus(status, ['draft', 'running', 'paused', 'stopped'], 'be changed');
  const field = Object.keys(ofDrafts).find((name) => given[name as Field] !== undefined);
  if (status !== 'draft' && field !== undefined) {
    throw new DomainError(
      'failed_precondition',
      `${field} decides which units get which variant, and is changed of a draft only. Make another experiment; weights and coverage are changed by setAllocation.`,
      { details: { field, status } },
    );
  }
  if (status !== 'draft' && given.metrics?.every(({ role }) => role !== 'primary')) {
    throw new DomainError('failed_precondition', 'An experiment that was started keeps a primary metric.', {
      details: { field: 'metrics', status },
    });
  }
}

async function referencesOf(tx: TenantTx, { variants, layer, holdouts }: Given): Promise<References | undefined> {
  const versionIds = variants?.flatMap(({ modelVersionId }) => modelVersionId ?? []) ?? [];
  if (versionIds.length === 0 && layer == null && (holdouts?.length ?? 0) === 0) return undefined;
  return await findReferences(tx, { versionIds, layerKey: layer?.key, holdoutKeys: holdouts ?? [] });
}

const fields = [
  ...(['hypothesis', 'test', 'alpha', 'correction', 'plannedUnits', 'minimumUnits'] as const),
  ...(['variants', 'metrics', 'targeting', 'layer', 'holdouts'] as const),
];
type Parts = ReturnType<typeof partsOf>;

/** A definition in the form in which two are compared, and in which the history has it. */
function partsOf(definition: ExperimentDefinition) {
  const { hypothesis, test, alpha, correction, plannedUnits, minimumUnits, targeting } = definition;
  const { variants, metrics, layer, holdouts } = definition;
  return {
    ...{ hypothesis, test, alpha, correction, plannedUnits, minimumUnits, targeting },
    variants,
    metrics,
    layer: layer === null ? null : { key: layer.key, start: layer.start, end: layer.end },
    holdouts: holdouts.map(({ key }) => key).toSorted(),
  };
}

function merged(before: ExperimentDefinition, given: Given): Parts {
  const old = partsOf(before);
  const { variants, metrics, targeting, layer, holdouts } = given;
  const idsOf = <Kind extends string>(parts: readonly { readonly key: string; readonly id: Id<Kind> }[]) =>
    new Map(parts.map(({ key, id }) => [key, id]));
  return {
    hypothesis: given.hypothesis ?? old.hypothesis,
    test: given.test ?? old.test,
    alpha: given.alpha ?? old.alpha,
    correction: given.correction ?? old.correction,
    plannedUnits: given.plannedUnits ?? old.plannedUnits,
    minimumUnits: given.minimumUnits ?? old.minimumUnits,
    variants:
      variants === undefined
        ? old.variants
        : variantRows(variants, idsOf(before.variants)).map((variant, position) => ({
            ...variant,
            weight: weightsOf(variants)[position] ?? 0,
          })),
    metrics: metrics === undefined ? old.metrics : metricRows(metrics, idsOf(before.metrics)),
    targeting: targeting === undefined ? old.targeting : targeting === null ? null : readTargeting(targeting),
    layer: layer === undefined ? old.layer : layer,
    holdouts: holdouts === undefined ? old.holdouts : holdouts.toSorted(),
  };
}

interface Update {
  readonly locked: LockedExperiment;
  readonly before: ExperimentDefinition;
  readonly given: Given;
  readonly after: Parts;
  readonly changed: readonly (keyof Parts)[];
  readonly references: References | undefined;
  readonly reason: string | undefined;
}

async function write(tx: TenantTx, update: Update): Promise<ExperimentDefinition> {
  const { locked, before, after, changed, references, reason } = update;
  const has = (field: keyof Parts) => changed.includes(field);
  const revision = before.revision + (changed.some((field) => analysed.includes(field)) ? 1 : 0);
  const epoch = before.allocation.epoch + (has('variants') ? 1 : 0);
  const { hypothesis, test, alpha, correction, plannedUnits, minimumUnits, targeting, layer } = after;
  const side = (parts: Parts) => Object.fromEntries(changed.map((field) => [field, parts[field]]));
  const parts = await inOneFlight(
    async () => (has('variants') ? await replaceVariants(tx, before.id, after.variants) : undefined),
    async () => (has('variants') ? await insertEpoch(tx, locked, { epoch, ...epochOf(update) }) : undefined),
    async () => (has('metrics') ? await replaceMetrics(tx, before.id, after.metrics) : undefined),
    async () => (has('holdouts') ? await replaceHoldouts(tx, before.id, references?.holdouts ?? []) : undefined),
    () =>
      changeExperiment(tx, locked, {
        kind: 'updated',
        reason,
        detail: { fields: changed, revision, epoch },
        sides: { from: side(partsOf(before)), to: side(after) },
        set: {
          ...{ hypothesis, test, alpha, correction, plannedUnits, minimumUnits, targeting, revision, epoch },
          ...(has('layer')
            ? {
                layerId: layer === null ? null : (references?.layerId ?? null),
                layerStart: layer?.start ?? null,
                layerEnd: layer?.end ?? null,
              }
            : {}),
        },
      }),
    () => getExperiment(tx, { experimentId: before.id }),
  );
  return parts[5];
}

function epochOf({ before, after }: Update) {
  const { coverage } = before.allocation;
  const weights = after.variants.map(({ weight }) => weight);
  const ranges = layOutRanges({ variantIds: after.variants.map(({ id }) => id), weights, coverage });
  return { coverage, weights, ranges, sdkCompatible: true };
}
