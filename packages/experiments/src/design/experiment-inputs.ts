import { nameInput, textInput } from '@mcp-hub/db-core';
import { z } from 'zod';
import { EXPERIMENT_LIMITS } from '../limits.ts';
import { experimentCorrections, experimentTests, metricDirections, metricKinds, metricRoles } from './schema.ts';

// What the functions' inputs are made of.

// Weights are given by the variants' keys, and records lose this one.
export const keyName = nameInput(EXPERIMENT_LIMITS.keyLength).refine(
  (key) => key !== '__proto__',
  'must not be __proto__',
);
export const seedText = textInput(EXPERIMENT_LIMITS.seedLength).min(1);
export const descriptionText = textInput(EXPERIMENT_LIMITS.descriptionLength);
export const reasonText = textInput(EXPERIMENT_LIMITS.reasonLength);
export const hypothesisText = textInput(EXPERIMENT_LIMITS.hypothesisLength).min(1);

/** An experiment by its key, or by its id. */
export const experimentSubject = { key: keyName.optional(), experimentId: z.uuid().optional() };

export interface ExperimentSubject {
  readonly key?: string | undefined;
  readonly experimentId?: string | undefined;
}

export const namesOneExperiment = ({ key, experimentId }: ExperimentSubject) =>
  (key === undefined) !== (experimentId === undefined);
export const ONE_EXPERIMENT = 'must name the experiment by key or by experimentId, and by one of these';

export const share = z.number().min(0).max(1);
const openShare = z.number().gt(0).lt(1);
const spanMs = z.int().min(1).max(EXPERIMENT_LIMITS.windowMs);

const VariantInput = z.strictObject({
  key: keyName,
  /** Of the units that the experiment asks; all of them sum to 1. Default: all variants the same. */
  weight: share.optional(),
  /** What the others are compared with: one of the variants. Default: the first. */
  isControl: z.boolean().optional(),
  /** The version that serves the variant's units. */
  modelVersionId: z.uuid().nullish(),
  description: descriptionText.nullish(),
});

const repeated = (keys: readonly string[]) => new Set(keys).size < keys.length;
const keysOf = (items: readonly { readonly key: string }[]) => items.map(({ key }) => key);

/** How far from 1 weights may sum. */
const WEIGHT_TOLERANCE = 1e-9;

export const variantList = z
  .array(VariantInput)
  .min(2)
  .max(EXPERIMENT_LIMITS.variants)
  .refine((variants) => !repeated(keysOf(variants)), 'must not name a variant twice')
  .refine((variants) => variants.filter(({ isControl }) => isControl).length <= 1, 'must have one control')
  .refine((variants) => {
    const weights = variants.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
    return weights.length === 0 || (weights.length === variants.length && sumToOne(weights));
  }, 'must have weights that sum to 1, or none');

export const sumToOne = (weights: readonly number[]) =>
  Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) <= WEIGHT_TOLERANCE;

const outcomeName = nameInput(EXPERIMENT_LIMITS.outcomeLength);

const MetricInput = z
  .strictObject({
    key: keyName,
    role: z.enum(metricRoles),
    kind: z.enum(metricKinds),
    /** The outcomes that it is made of. Default: those of its key's name. */
    outcome: outcomeName.optional(),
    /** Of a ratio, and only there: the outcomes of its denominator. */
    denominator: outcomeName.nullish(),
    /** Of a quantile, and only there: which, above 0 and below 1. */
    quantile: openShare.nullish(),
    /** Which way is better. Default: increase. */
    direction: z.enum(metricDirections).optional(),
    /** The least change that matters, as a share of the control's value. */
    minimumEffect: z.number().positive().nullish(),
    /** In the place of the experiment's. */
    alpha: openShare.nullish(),
    /** How long after the first exposure outcomes begin to count. Default 0. */
    delayMs: z.int().min(0).max(EXPERIMENT_LIMITS.windowMs).optional(),
    /** How long from then on they count. Default: without end. */
    windowMs: spanMs.nullish(),
    /** How long before the first exposure outcomes are the unit's covariate. Default: none. */
    cupedMs: spanMs.nullish(),
  })
  .refine(({ kind, denominator }) => (denominator != null) === (kind === 'ratio'), {
    path: ['denominator'],
    error: 'must be given of a ratio, and only there',
  })
  .refine(({ kind, quantile }) => (quantile != null) === (kind === 'quantile'), {
    path: ['quantile'],
    error: 'must be given of a quantile, and only there',
  })
  .refine(({ kind, cupedMs }) => cupedMs == null || kind === 'mean' || kind === 'proportion', {
    path: ['cupedMs'],
    error: 'may be given of a mean or a proportion only',
  });

export const metricList = z
  .array(MetricInput)
  .max(EXPERIMENT_LIMITS.metrics)
  .refine((metrics) => !repeated(keysOf(metrics)), 'must not name a metric twice')
  .refine((metrics) => metrics.filter(({ role }) => role === 'primary').length <= 1, 'must have one primary metric');

/** The part of a layer's hash that the experiment takes, `start <= place < end`. */
export const layerInput = z
  .strictObject({ key: keyName, start: share, end: share })
  .refine(({ start, end }) => start < end, { path: ['end'], error: 'must be greater than start' });

export const holdoutList = z
  .array(keyName)
  .max(EXPERIMENT_LIMITS.holdouts)
  .refine((keys) => !repeated(keys), 'must not name a holdout twice');

const units = z.int().min(2).max(2_147_483_647);

/** How the metrics are judged. */
export const judgement = {
  /** Default: sequential. */
  test: z.enum(experimentTests).optional(),
  /** Two-sided. Default 0.05. */
  alpha: openShare.optional(),
  /** Of the secondary metrics' p values. Default: holm. */
  correction: z.enum(experimentCorrections).optional(),
  /** Units of all variants together at which a sequential test's intervals are narrowest. Default 5,000. */
  plannedUnits: units.optional(),
  /** Units a variant below which nothing is called significant. Default 150. */
  minimumUnits: units.optional(),
};
