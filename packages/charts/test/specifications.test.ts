import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { compile } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { renderSvg } from '../src/index.ts';
import { everyChart } from './support/samples.ts';
import { drawn } from './support/svg-marks.ts';

const schema = createRequire(import.meta.url).resolve('vega-lite/vega-lite-schema.json');
const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });
const validate = ajv.compile(JSON.parse(readFileSync(schema, 'utf8')));

describe.each([...everyChart('churn')])('the %s chart', (kind, spec) => {
  it("is valid by vega-lite's own schema", () => {
    expect(validate(spec), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
  });

  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  });

  it('compiles without a warning', () => {
    const told: unknown[] = [];
    const tell = (...words: readonly unknown[]) => {
      told.push(...words);
      return logger;
    };
    const logger = { level: () => logger, error: tell, warn: tell, info: () => logger, debug: () => logger };
    compile(structuredClone(spec) as unknown as Parameters<typeof compile>[0], {
      logger: logger as unknown as NonNullable<NonNullable<Parameters<typeof compile>[1]>['logger']>,
    });
    expect(told).toEqual([]);
  });

  it('gives the same bytes each time, also where several are rendered at once', async () => {
    const first = await renderSvg(spec);
    const again = await Promise.all([
      renderSvg(spec),
      renderSvg(everyChart('churn').get(kind) ?? spec),
      renderSvg(spec),
    ]);
    expect(new Set([first, ...again]).size).toBe(1);
  });

  it('leaves its specification as it is', async () => {
    const before = JSON.stringify(spec);
    await renderSvg(deepFreeze(spec));
    expect(JSON.stringify(spec)).toBe(before);
  });

  it('has a title, and a description for readers of the screen', async () => {
    const { svg, texts } = await drawn(spec);
    expect(texts('title-text')).toEqual(['Title churn']);
    expect(texts('title-subtitle')[0]).toBe('Subtitle churn');
    expect(svg).toMatch(/^<svg role="graphics-document" aria-label="Title churn\. Subtitle churn/);
    expect(spec.description).toContain('Title churn. Subtitle churn');
  });

  it('names what its axes show', async () => {
    const { texts } = await drawn(spec);
    const titles = texts('axis-title');
    expect(titles.every((title) => title.length > 2)).toBe(true);
    // Where the names of lanes stand in the plot, one axis is left.
    const lanes = kind === 'metric table' || kind === 'alerts';
    expect(titles.length).toBeGreaterThanOrEqual(kind === 'empty' ? 0 : lanes ? 1 : 2);
  });
});

it('the schema would refuse what is no chart', () => {
  expect(validate({ ...everyChart('churn').get('ROC'), layer: [{ mark: 'lines' }] })).toBe(false);
});

it("a chart is the same in another time zone: labels of time are UTC's", async () => {
  const zone = process.env.TZ;
  const spec = everyChart('churn').get('stages');
  if (spec === undefined) throw new Error('There is no such sample.');
  try {
    process.env.TZ = 'UTC';
    const here = await renderSvg(spec);
    process.env.TZ = 'Pacific/Auckland';
    expect(new Date(0).getHours()).toBe(12);
    expect(await renderSvg(spec)).toBe(here);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
