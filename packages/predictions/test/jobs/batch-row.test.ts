import { expect, it } from 'vitest';
import { readStoredRow } from '../../src/jobs/batch-row.ts';

it('a stored row keeps each of its features, whatever its name is', () => {
  const stored = JSON.parse('{"row":3,"features":{"__proto__":{"number":"NaN"},"constructor":null,"a":"x"}}');
  expect(Object.entries(readStoredRow(stored).features)).toEqual([
    ['__proto__', Number.NaN],
    ['constructor', null],
    ['a', 'x'],
  ]);
});
