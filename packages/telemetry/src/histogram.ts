import { type SQL, sql } from 'drizzle-orm';

// DDSketch's logarithmic mapping (Masson, Rim, Lee 2019, section 2.1) with a relative error of 1 %: gamma is
// (1 + 0.01) / (1 - 0.01), and bucket i holds the values above gamma^(i-1) and up to gamma^i. Its buckets for positive and
// negative values and for zero are one range of whole numbers here, in the order of the values they hold, so that a
// percentile is a running sum.

/** More than ln(2^1074) / ln(gamma): the key of the smallest float8 is still positive. */
const OFFSET = 40_000;
const GAMMA = 1.01 / 0.99;
const LN_GAMMA = Math.log(GAMMA);

// Shortest text that reads back as the same float8.
const float = (value: number) => sql.raw(`${value}::float8`);

/** The bucket of a finite value, as an int4. */
export const histogramKey = (value: SQL): SQL =>
  sql`case when ${value} = 0 then 0
           else sign(${value})::int * (${sql.raw(String(OFFSET))} + ceil(ln(abs(${value})) / ${float(LN_GAMMA)})::int) end`;

/** The value that stands for a bucket: at most 1 % off any that it holds. */
export const histogramValue = (key: SQL): SQL =>
  sql`case when ${key} = 0 then 0
           else sign(${key}) * exp((abs(${key}) - ${sql.raw(String(OFFSET))}) * ${float(LN_GAMMA)}) * ${float(2 / (GAMMA + 1))} end`;
