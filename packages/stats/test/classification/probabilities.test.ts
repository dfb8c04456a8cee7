import { describe, expect, it } from 'vitest';
import { brierScore, calibrationErrors, calibrationTable, logLoss, multiclassReport } from '../../src/index.ts';

describe('probabilities', () => {
  it('a certain error costs 36.04, never Infinity', () => {
    expect(logLoss({ labels: [1], probabilities: [0] }).value).toBeCloseTo(36.04365338911715, 12);
    expect(logLoss({ labels: [1], probabilities: [1] }).value).toBe(2.2204460492503136e-16);
    expect(logLoss({ labels: [], probabilities: [] }).value).toBeNull();
    expect(() => brierScore({ labels: [1], probabilities: [1.5] })).toThrow('from 0 to 1');
    expect(() => logLoss({ labels: [1, 0], probabilities: Float64Array.of(0.5, Number.NaN) })).toThrow(
      'probabilities[1]',
    );
  });

  it('an edge of a bin belongs to the bin above it, but 1 to the last', () => {
    for (const bins of [1, 3, 7, 10, 49, 100]) {
      const probabilities = Array.from({ length: bins + 1 }, (_, i) => i / bins);
      const table = calibrationTable({ labels: probabilities.map(() => 1), probabilities }, { bins });
      expect(table.map(({ n }) => n)).toEqual(Array.from({ length: bins }, (_, i) => (i === bins - 1 ? 2 : 1)));
    }
  });

  it('what is just below an edge belongs to the bin below it', () => {
    for (const bins of [3, 7, 10, 49, 100]) {
      const probabilities = Array.from({ length: bins }, (_, i) => ((i + 1) / bins) * (1 - 2 ** -53));
      const table = calibrationTable({ labels: probabilities.map(() => 1), probabilities }, { bins });
      expect(table.map(({ n }) => n)).toEqual(probabilities.map(() => 1));
    }
  });

  it('perfect calibration has no error, and no rows have none to speak of', () => {
    const table = calibrationTable({ labels: [0, 0, 0, 1], probabilities: [0.25, 0.25, 0.25, 0.25] });
    expect(calibrationErrors(table).value).toEqual({ expected: 0, rootMeanSquare: 0, maximum: 0 });
    expect(table[0]).toMatchObject({ n: 0, meanPredicted: null, observedRate: null });
    expect(calibrationErrors(calibrationTable({ labels: [], probabilities: [] })).value).toBeNull();
  });
});

describe('multiclassReport', () => {
  it('is undefined in the average where a class does not occur', () => {
    const report = multiclassReport({
      actual: [0, 1],
      scores: [
        [0.7, 0.2, 0.1],
        [0.3, 0.6, 0.1],
      ],
    });
    expect(report.rocAucMacro.reason).toBe('All rows are of one class.');
    expect(report.rocAucPerClass[0]?.value).toBe(1);
    expect(() => multiclassReport({ actual: [2], scores: [[0.5, 0.5]] })).toThrow('without a score');
  });
});
