import { DomainError, parseInput } from '@mcp-hub/db-core';
import { describe, expect, it } from 'vitest';
import { activeParams, checkFixedParams, checkParams, SearchSpace } from '../src/index.ts';

const refusal = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'invalid_input') return error.message;
    throw error;
  }
  return 'taken';
};
const refusalOf = (space: unknown) => refusal(() => parseInput(SearchSpace, space));

const unit = { type: 'float', low: 0, high: 1 };
const optimizer = { type: 'categorical', choices: ['sgd', 'adam'] };

describe('a search space', () => {
  it.each([
    ['a range of floats', { x: unit }],
    ['a range of one value', { x: { type: 'float', low: 1, high: 1, step: 0.3 } }],
    ['a step that decimals divide and doubles do not', { x: { type: 'float', low: 0, high: 1, step: 0.1 } }],
    ['one step that doubles take for less', { x: { type: 'float', low: 0.2, high: 0.3, step: 0.1 } }],
    ['log with the step of every int', { x: { type: 'int', low: 1, high: 1024, log: true, step: 1 } }],
    ['choices that differ in type alone', { x: { type: 'categorical', choices: [1, '1', true, null] } }],
    [
      'conditions upon conditions, in any order of names',
      {
        momentum: { ...unit, when: { param: 'nesterov', in: [true] } },
        nesterov: { type: 'categorical', choices: [true, false], when: { param: 'optimizer', in: ['sgd'] } },
        optimizer,
      },
    ],
    [
      'conditions on ints and on floats with a step',
      {
        layers: { type: 'int', low: 1, high: 3 },
        dropout: { type: 'float', low: 0, high: 0.3, step: 0.1 },
        second: { type: 'int', low: 8, high: 64, step: 8, when: { param: 'layers', in: [2, 3] } },
        seed: { type: 'int', low: 0, high: 9, when: { param: 'dropout', in: [0.1, 0.3] } },
      },
    ],
  ])('takes %s', (_, space) => {
    expect(parseInput(SearchSpace, space)).toEqual(space);
  });

  it.each([
    ['of no parameters', {}, 'must have at least 1 parameter'],
    ['of a type that it does not know', { x: { type: 'real' } }, '[…].type must be one of: float, int, categorical'],
    ['with a bound missing', { x: { type: 'float', low: 0 } }, '[…].high is missing'],
    ['with a bound that is not finite', { x: { ...unit, high: Number.POSITIVE_INFINITY } }, '[…].high'],
    ['with fields that it does not know', { x: { ...unit, lgo: true } }, 'not known'],
    ['with an int from a fraction', { x: { type: 'int', low: 0.5, high: 2 } }, '[…].low must be of type int'],
    ['from high to low', { x: unit, y: { type: 'int', low: 3, high: 2 } }, '[…].low must not be above high: swap'],
    ['with log from 0', { x: { ...unit, log: true } }, '[…].low must be above 0 where log is true'],
    ['with log from below 0', { x: { ...unit, low: -1, log: true } }, '[…].low must be above 0 where log is true'],
    [
      'with log and a step',
      { x: { type: 'float', low: 1, high: 2, log: true, step: 1 } },
      '[…].step must not be given',
    ],
    ['with a step of 0', { x: { ...unit, step: 0 } }, '[…].step must be more than 0'],
    ['with a step that does not divide', { x: { ...unit, step: 0.3 } }, '[…].step must lead from low to high in whole'],
    ['with a step beyond the range', { x: { ...unit, step: 2 } }, '[…].step must lead from low to high in whole steps'],
    [
      'with steps that a double cannot tell',
      { x: { type: 'float', low: 1e16, high: 1e16 + 64, step: 1 } },
      'too small',
    ],
    ['wider than a double', { x: { type: 'float', low: -1.7e308, high: 1.7e308 } }, '[…].high lies too far from low'],
    ['without choices', { x: { type: 'categorical', choices: [] } }, '[…].choices must have at least 1 items'],
    [
      'with a choice twice',
      { x: { type: 'categorical', choices: ['a', 'b', 'a'] } },
      '[…].choices must not hold a choice',
    ],
    ['with a choice of another kind', { x: { type: 'categorical', choices: [{}] } }, '[…].choices[0]'],
    [
      'with a condition on a parameter that is not there',
      { x: { ...unit, when: { param: 'optimizer', in: ['sgd'] } } },
      '[…].when.param must be a parameter of the same search space',
    ],
    [
      'with a condition on what every object has',
      { x: { ...unit, when: { param: 'constructor', in: ['sgd'] } } },
      '[…].when.param must be a parameter of the same search space',
    ],
    [
      'with a condition on a value that is not there',
      { optimizer, x: { ...unit, when: { param: 'optimizer', in: ['sgd', 'adamw'] } } },
      '[…].when.in[1] must be a value that the parameter of the condition can take (parameter 1 as given)',
    ],
    [
      'with a condition that is never true',
      { optimizer, x: { ...unit, when: { param: 'optimizer', in: [] } } },
      '[…].when.in must have at least 1',
    ],
    [
      'with a condition on values without a gap',
      { x: unit, y: { ...unit, when: { param: 'x', in: [0.5] } } },
      '[…].when.param must have values that can be named',
    ],
    [
      'with a condition on itself',
      { x: { type: 'int', low: 0, high: 1, when: { param: 'x', in: [1] } } },
      '[…].when.param must not lead back to the parameter itself',
    ],
    [
      'with conditions in a circle',
      {
        a: { type: 'int', low: 0, high: 1, when: { param: 'b', in: [1] } },
        b: { type: 'int', low: 0, high: 1, when: { param: 'c', in: [1] } },
        c: { type: 'int', low: 0, high: 1, when: { param: 'a', in: [1] } },
      },
      '[…].when.param must not lead back to the parameter itself',
    ],
    [
      'of more than 200 parameters',
      Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`x${index}`, unit])),
      'must have at most 200 parameters, not 201',
    ],
    [
      'of more than 1000 choices',
      { x: { type: 'categorical', choices: Array.from({ length: 1001 }, (_, index) => index) } },
      '[…].choices must have at most 1000 items, not 1001',
    ],
  ])('is refused %s, with what is wrong and how to mend it', (_, space, message) => {
    expect(refusalOf(space)).toContain(message);
  });

  it('is refused without a word of what it holds', () => {
    const message = refusalOf({ secret: { type: 'categorical', choices: ['hidden', 'hidden'] } });
    expect(message).not.toMatch(/secret|hidden/);
  });
});

describe("a trial's parameters", () => {
  const space = parseInput(SearchSpace, {
    rate: { type: 'float', low: 1e-5, high: 0.1, log: true },
    nesterov: { type: 'categorical', choices: [true, false], when: { param: 'optimizer', in: ['sgd'] } },
    momentum: { type: 'float', low: 0, high: 0.9, step: 0.1, when: { param: 'nesterov', in: [true] } },
    optimizer: { type: 'categorical', choices: ['sgd', 'adam'] },
  });

  it('are taken where each active one has a value, and put in one order', () => {
    const params = { momentum: 0.3, nesterov: true, rate: 0.01, optimizer: 'sgd' };
    expect(Object.entries(checkParams(space, params))).toEqual([
      ['optimizer', 'sgd'],
      ['rate', 0.01],
      ['nesterov', true],
      ['momentum', 0.3],
    ]);
    expect(checkParams(space, { rate: 0.01, optimizer: 'adam' })).toEqual({ rate: 0.01, optimizer: 'adam' });
    expect(activeParams(space, params)).toEqual(['optimizer', 'rate', 'nesterov', 'momentum']);
    expect(activeParams(space, { optimizer: 'adam', nesterov: true })).toEqual(['optimizer', 'rate']);
  });

  it.each([
    ['one that is missing', { optimizer: 'adam' }, 'must have a value for each active parameter'],
    ['one that is missing by a condition', { optimizer: 'sgd', rate: 0.01 }, 'must have a value for each active'],
    [
      'one that is not in the space',
      { optimizer: 'adam', rate: 0.01, decay: 1 },
      'at position 2 as given, is no parameter',
    ],
    [
      'one that every object has',
      { optimizer: 'adam', rate: 0.01, toString: 1 },
      'position 2 as given, is no parameter',
    ],
    ['a choice that is not there', { optimizer: 'adamw', rate: 0.01 }, 'at position 0 as given, is no value'],
    ['a number out of the range', { optimizer: 'adam', rate: 1 }, 'at position 1 as given, is no value'],
    ['NaN', { optimizer: 'adam', rate: Number.NaN }, 'at position 1 as given, is no value'],
    ['text for a number', { optimizer: 'adam', rate: '0.01' }, 'at position 1 as given, is no value'],
    ['a number between steps', { optimizer: 'sgd', rate: 0.01, nesterov: true, momentum: 0.25 }, 'is no value'],
    [
      'one that is not active',
      { optimizer: 'adam', rate: 0.01, nesterov: true },
      'at position 2 as given, is not active',
    ],
    [
      'one whose condition is not active',
      { optimizer: 'adam', rate: 0.01, momentum: 0.1 },
      'position 2 as given, is not',
    ],
  ])('are refused with %s', (_, params, message) => {
    expect(refusal(() => checkParams(space, params))).toContain(message);
  });

  it('that are fixed may leave others open, and conditions with them', () => {
    expect(checkFixedParams(space, { momentum: 0.1 })).toEqual({ momentum: 0.1 });
    expect(checkFixedParams(space, {})).toEqual({});
    expect(refusal(() => checkFixedParams(space, { nesterov: false, momentum: 0.1 }))).toContain('is not active');
    expect(refusal(() => checkFixedParams(space, { rate: 1 }, { field: 'fixedParams' }))).toContain('fixedParams, at');
  });
});
