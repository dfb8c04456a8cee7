import { describe, expect, it } from 'vitest';
import { plainText } from '../src/plain-text.ts';
import { heatColour, inkOn, luminance, seriesColours } from '../src/theme.ts';
import { wrapText } from '../src/wrap-text.ts';

const contrast = (a: string, b: string) => {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};

// Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
const views = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

describe('colours', () => {
  it('stand out from white by 3:1', () => {
    for (const colour of seriesColours) expect(contrast(colour, '#FFFFFF'), colour).toBeGreaterThan(3);
  });

  it.each(Object.entries(views))('are told apart under %s', (_, matrix) => {
    const seen = seriesColours.map((colour) => lab(colour, matrix));
    for (const [i, a] of seen.entries()) {
      for (const b of seen.slice(i + 1))
        expect(Math.hypot(...a.map((part, axis) => part - (b[axis] ?? 0)))).toBeGreaterThan(15);
    }
  });

  it('of a matrix bear texts of 4.5:1 at each share', () => {
    for (let share = 0; share <= 1; share += 0.01) {
      const fill = heatColour(share);
      expect(contrast(fill, inkOn(fill)), fill).toBeGreaterThan(4.5);
    }
  });
});

it.each([
  { given: 'a\n b\t\tc ', limit: 10, expected: 'a b c' },
  { given: '\u0000\u001F\u007F', limit: 10, expected: '\uFFFD\uFFFD\uFFFD' },
  { given: '\uD800a\uDC00', limit: 10, expected: '\uFFFDa\uFFFD' },
  { given: '😀😀😀', limit: 2, expected: '😀…' },
  { given: '😀😀', limit: 2, expected: '😀😀' },
  { given: '<b>&amp;', limit: 10, expected: '<b>&amp;' },
])('plainText of $given is $expected', ({ given, limit, expected }) => expect(plainText(given, limit)).toBe(expected));

it('wrapText breaks between words', () => {
  expect(wrapText('one two three', 64, 10)).toEqual(['one two', 'three']);
  expect(wrapText('incomprehensibilities of', 40, 10)).toEqual(['incomprehensibilities', 'of']);
  expect(wrapText('', 40, 10)).toEqual(['']);
});

function lab(colour: string, matrix: readonly number[]): readonly number[] {
  const linear = [1, 3, 5].map((from) => {
    const channel = Number.parseInt(colour.slice(from, from + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const row = (at: number, weights: readonly number[]) =>
    linear.reduce((sum, part, i) => sum + part * (weights[3 * at + i] ?? 0), 0);
  const [red = 0, green = 0, blue = 0] = [0, 1, 2].map((at) => Math.min(1, Math.max(0, row(at, matrix))));
  const root = (part: number) => (part > 0.008856 ? Math.cbrt(part) : 7.787 * part + 16 / 116);
  const x = root((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
  const y = root(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  const z = root((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
