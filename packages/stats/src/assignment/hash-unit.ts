import { StatsError } from '../errors.ts';

/** How a seed and a unit become a number: 1 is biased and kept for old experiments, 2 is for new ones. */
export type HashVersion = 1 | 2;

/**
 * The place of a unit in [0, 1), always the same for the same seed and unit: one of 1,000 places under version 1, of 10,000
 * under version 2 (the default). Bit for bit GrowthBook's hash, in the order of its JavaScript SDK, which takes UTF-16 code
 * units; SDKs in other languages take bytes and agree where all is ASCII.
 *
 * @throws StatsError for text with half a surrogate pair or a NUL, which other languages and PostgreSQL cannot hold, and for
 *   another version.
 */
export function hashUnit(input: {
  readonly seed: string;
  readonly unit: string;
  readonly version?: HashVersion;
}): number {
  return unitHasher(input)(input.unit);
}

/** hashUnit for the units of one seed, of which it takes what is the same for all of them once. Errors as there. */
export function unitHasher(input: { readonly seed: string; readonly version?: HashVersion }): (unit: string) => number {
  const { seed, version = 2 } = input;
  const ofSeed = absorb('seed', seed, OFFSET);
  switch (version) {
    case 1:
      return (unit) => ((absorb('seed', seed, absorb('unit', unit, OFFSET)) >>> 0) % 1_000) / 1_000;
    case 2:
      return (unit) => ((absorbDigits(absorb('unit', unit, ofSeed) >>> 0) >>> 0) % 10_000) / 10_000;
    default:
      throw new StatsError('The version of a hash must be 1 or 2.');
  }
}

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a of 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv) over UTF-16 code units in the place of bytes. */
function absorb(name: string, text: string, start: number): number {
  if (typeof text !== 'string') throw new StatsError(`${name} must be a text.`);
  let hash = start;
  let isPlain = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || (code & 0xf800) === 0xd800) isPlain = false;
    hash = Math.imul(hash ^ code, PRIME);
  }
  // Looked at once more only where there is a surrogate or a NUL: the check by itself costs as much as the hash.
  if (!isPlain && /[\0\p{Cs}]/u.test(text)) {
    throw new StatsError(`${name} must hold no NUL and no half of a surrogate pair.`);
  }
  return hash;
}

/** As absorb of the number's decimal digits, without a text. */
function absorbDigits(number: number): number {
  let power = 1;
  while (number >= power * 10) power *= 10;
  let hash = OFFSET;
  let rest = number;
  for (; power >= 1; power /= 10) {
    const digit = Math.floor(rest / power);
    rest -= digit * power;
    hash = Math.imul(hash ^ (0x30 + digit), PRIME);
  }
  return hash;
}
