import type { PostgresType } from 'postgres';
import { parse } from 'postgres-array';

const asNumber = (text: string) => Number(text);
const asText = (text: string) => text;

/** By the oid of the array type; int8 and numeric stay text, as they do outside of arrays. */
const elements: Readonly<Record<number, (text: string) => unknown>> = {
  1000: (text) => text === 't', // boolean[]
  1005: asNumber, // int2[]
  1007: asNumber, // int4[]
  1009: asText, // text[]
  1015: asText, // varchar[]
  1016: asText, // int8[]
  1021: asNumber, // float4[]
  1022: asNumber, // float8[]
  1231: asText, // numeric[]
  199: (text) => JSON.parse(text) as unknown, // json[]
  2951: asText, // uuid[]
  3807: (text) => JSON.parse(text) as unknown, // jsonb[]
};

/**
 * How arrays in results of raw `sql` are read. postgres.js would look the array types up on each new connection; a
 * connection that dies during that query of its own ends the process.
 */
export const arrayTypes: Readonly<Record<string, PostgresType>> = Object.fromEntries(
  Object.entries(elements).map(([oid, element]) => [
    `array_${oid}`,
    {
      to: Number(oid),
      from: [Number(oid)],
      // Arrays are bound by textArray and its like, never by the driver's guess.
      serialize: asText,
      parse: (literal: string) => parse(literal, element),
    },
  ]),
);
