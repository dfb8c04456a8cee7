import { newId, timeOfId } from '@mcp-hub/db-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { predictionIdsOf } from '../../src/jobs/prediction-id.ts';

const row = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 2 ** 20 - 1, 2 ** 20, 2 ** 32 - 1));

it('a row has one id, of version 7, with the time of its job, in the order of the rows', () => {
  const at = new Date('2026-03-04T05:06:07.089Z');
  const idOf = predictionIdsOf(newId(at));
  fc.assert(
    fc.property(row, row, (one, other) => {
      expect(idOf(one)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(timeOfId(idOf(one))).toEqual(at);
      expect(Math.sign(one - other)).toBe(idOf(one) < idOf(other) ? -1 : idOf(one) === idOf(other) ? 0 : 1);
    }),
  );
});

it('two jobs of one millisecond have no id in common', () => {
  const at = new Date('2026-03-04T05:06:07.089Z');
  const ids = Array.from({ length: 200 }, () => predictionIdsOf(newId(at))).flatMap((idOf) => [idOf(0), idOf(1)]);
  expect(new Set(ids).size).toBe(400);
});
