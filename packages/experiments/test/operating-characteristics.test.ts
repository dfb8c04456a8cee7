import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { binomials, normals, sourceOf } from './evidence/draws.ts';
import { type Finding, holds, tablesOf } from './evidence/finding.ts';
import { operatingCharacteristics } from './evidence/operating-characteristics.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

const evidence: readonly Finding[] = z
  .array(
    z.object({
      ...{ about: z.string(), setting: z.string(), figure: z.string() },
      ...{ value: z.number(), standardError: z.number(), repetitions: z.int() },
      stated: z.object({ words: z.string(), least: z.number(), most: z.number() }).nullable(),
      unit: z.enum(['share', 'units', 'quotient']),
    }),
  )
  .parse(JSON.parse(read('../evidence/operating-characteristics.json')));

describe('the evidence', () => {
  it.each(evidence.filter(({ stated }) => stated !== null))('of $setting, $figure, is as stated', (finding) => {
    expect(holds(finding)).toBe(true);
  });

  it('is what its tables say', () => {
    expect(read('../evidence/operating-characteristics.md')).toContain(tablesOf(evidence));
  });
});

describe('a hundredth of the repetitions', () => {
  // The seeds are fixed, so that this passes always or never.
  const findings = operatingCharacteristics(0.01);

  it.each(findings.filter(({ stated }) => stated !== null))('finds $figure of $setting as stated', (finding) => {
    expect(holds(finding, 4)).toBe(true);
  });

  it('lies beside the figures of the evidence', () => {
    const keyOf = ({ setting, figure }: Finding) => `${setting}, ${figure}`;
    const found = new Map(findings.map((finding) => [keyOf(finding), finding]));
    const missing = evidence.filter((whole) => !found.has(keyOf(whole)));
    // A verdict that never came has no row.
    expect(missing.filter(({ value }) => value > 0.05)).toEqual([]);
    for (const whole of evidence) {
      const { value, repetitions, setting, figure } = found.get(keyOf(whole)) ?? { ...whole, value: 0, repetitions: 1 };
      const standardError = whole.standardError * Math.sqrt(whole.repetitions / repetitions);
      const off = Math.abs(value - whole.value);
      expect(off, `${setting}, ${figure}`).toBeLessThan(4 * standardError + 1 / repetitions);
    }
  });
});

describe('the draws', () => {
  it('are standard normal', () => {
    const normal = normals(sourceOf('normal', 0));
    const values = Array.from({ length: 100_000 }, normal);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(values.filter((value) => Math.abs(value) > 1.959964).length / values.length).toBeCloseTo(0.05, 2);
  });

  it('are binomial', () => {
    const random = sourceOf('binomial', 0);
    const draw = binomials(random, 0.25);
    const counts = [0, 0, 0];
    for (let i = 0; i < 64_000; i++) {
      const k = draw(2);
      counts[k] = (counts[k] ?? 0) + 1;
    }
    for (const [k, expected] of [36_000, 24_000, 4_000].entries()) {
      expect(Math.abs((counts[k] ?? 0) - expected)).toBeLessThan(4 * Math.sqrt(expected));
    }
    expect(draw(0)).toBe(0);
  });

  it('of two repetitions differ, and of one are the same again', () => {
    const first = (part: string, repetition: number) => sourceOf(part, repetition)();
    expect(first('a', 0)).toBe(first('a', 0));
    expect(new Set([first('a', 0), first('a', 1), first('b', 0), first('b', 1)]).size).toBe(4);
  });
});
