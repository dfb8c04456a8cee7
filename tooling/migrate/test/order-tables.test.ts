import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderTables } from '../src/repository/order-tables.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const name = fc.constantFrom(...names);
const references = fc.array(fc.record({ from: name, to: name }), { maxLength: 15 });

describe('the order of tables', () => {
  it('has every table once, parents first but for the references that it says are cyclic', () => {
    fc.assert(
      fc.property(fc.subarray([...names]), references, (tables, given) => {
        const { order, cyclic } = orderTables(tables, given);
        expect([...order].sort()).toEqual([...tables].sort());
        for (const { from, to } of given) {
          if (from === to || !tables.includes(from) || !tables.includes(to)) continue;
          if (cyclic.some((reference) => reference.from === from && reference.to === to)) continue;
          expect(order.indexOf(to)).toBeLessThan(order.indexOf(from));
        }
      }),
    );
  });

  it('calls nothing cyclic where an order exists', () => {
    fc.assert(
      fc.property(references, (given) => {
        const downwards = given.filter(({ from, to }) => from > to);
        expect(orderTables([...names], downwards).cyclic).toEqual([]);
      }),
    );
  });

  it('breaks a cycle at one reference of it', () => {
    const cycle = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'a' },
      { from: 'd', to: 'a' },
    ];
    const { order, cyclic } = orderTables(['a', 'b', 'c', 'd'], cycle);
    expect(cyclic).toHaveLength(1);
    expect(order.indexOf('a')).toBeLessThan(order.indexOf('d'));
  });

  it('is the same whatever the order of its input', () => {
    expect(orderTables(['c', 'b', 'a'], [{ from: 'a', to: 'c' }]).order).toEqual(['b', 'c', 'a']);
  });
});
