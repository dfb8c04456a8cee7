/** Limits of the registry. Each one is named in the error that enforces it, and in the README. Lengths are in UTF-16 code units. */
export const REGISTRY_LIMITS = {
  /** Of a model's name, a version, and an alias. */
  nameLength: 256,
  tagKeyLength: 250,
  tagValueLength: 8_000,
  /** Tags given with one createModel or registerVersion. */
  tagsAtOnce: 100,
  descriptionLength: 5_000,
  reasonLength: 2_000,
  artifactUriLength: 2_048,
  contentDigestLength: 256,
  flavourLength: 100,
  guardLength: 100,
  /** Of metadata, evidence and each signature, as JSON text. */
  jsonLength: 100_000,
} as const;
