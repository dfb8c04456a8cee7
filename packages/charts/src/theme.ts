/**
 * Six colours that stand out from white by 3:1 or more (WCAG 2.2, 1.4.11) and from each other under protanopia,
 * deuteranopia and tritanopia too; after Okabe and Ito, whose light ones were replaced. A test holds both.
 */
export const seriesColours = ['#0072B2', '#D55E00', '#009E73', '#5B1A5B', '#CC61A0', '#5C5C5C'] as const;

/** Dashes in pixels, so that more lines than colours, and lines without colours, can be told apart. */
export const seriesDashes: readonly (readonly number[])[] = [
  [1, 0],
  [8, 4],
  [2, 3],
  [10, 3, 2, 3],
];

/** What is drawn beside the data: a diagonal, a baseline. */
export const referenceColour = '#6E6E6E';

/** From none to all, for cells of a matrix. */
const heatColours = ['#F4F8FC', '#084A8C'] as const;

const channels = (colour: string) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
const linear = (channel: number) => (channel <= 0.040_45 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);

/** The colour between the two of `heatColours` for a share from 0 to 1. */
export function heatColour(share: number): string {
  const [from, to] = [channels(heatColours[0]), channels(heatColours[1])];
  const mixed = from.map((channel, i) => Math.round((channel + ((to[i] ?? 0) - channel) * share) * 255));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance of WCAG 2.2, from 0 to 1. */
export function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map(linear);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Black or white, whichever stands out more: at least 4.5:1 on any colour. */
export function inkOn(colour: string): string {
  return luminance(colour) > 0.179 ? '#000000' : '#FFFFFF';
}
