import {
  type BucketRange,
  bucketRanges,
  chooseVariant,
  type HashVersion,
  hashUnit,
  isInNamespace,
  namespacePlace,
} from '../../../src/index.ts';

/** Another version is no hash, which the cases write as null. */
const hash = ({ seed, value, version }: { seed: string; value: string; version: number }) => ({
  n: version === 1 || version === 2 ? hashUnit({ seed, unit: value, version: version satisfies HashVersion }) : null,
});

const ranges = (input: { num_variations: number; coverage?: number | null; weights?: readonly number[] | null }) => ({
  ranges: bucketRanges({
    variants: input.num_variations,
    coverage: input.coverage ?? undefined,
    weights: input.weights ?? undefined,
  }),
});

const choose = ({ n, ranges: given }: { n: number; ranges: readonly BucketRange[] }) => ({
  index: chooseVariant(n, given),
});

const inNamespace = ({
  user,
  namespace: [name, start, end],
}: {
  user: string;
  namespace: [string, number, number];
}) => ({
  included: isInNamespace(user, { name, range: [start, end] }),
  n: namespacePlace(user, name),
});

export const assignmentKinds = {
  gb_hash: hash,
  gb_bucket_ranges: ranges,
  gb_choose_variation: choose,
  gb_in_namespace: inNamespace,
};
