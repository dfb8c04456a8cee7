import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { connect, withTenant } from '@mcp-hub/db-core';
import { deleteVersion, registerVersion } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import { parse } from 'csv-parse/sync';
import { sql } from 'drizzle-orm';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { exportFormats, exportPredictions, PREDICTION_LIMITS, recordPredictions } from '../../src/index.ts';
import { exported, exportNow, exportTenant, labelled } from '../support/export-world.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { usePredictions } from '../support/use-predictions.ts';

const predictions = usePredictions();
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

type Row = Readonly<Record<string, unknown>>;

/** Read by a library that is not the one that wrote it. What is quoted is text, so that "" is not what is missing. */
function readCsv(bytes: Buffer): readonly Row[] {
  return parse(bytes, {
    columns: true,
    cast: (value, { header, quoting }) => (header || quoting || value !== '' ? value : null),
  }) as readonly Row[];
}
const readNdjson = (bytes: Buffer): readonly Row[] =>
  bytes
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
const bufferOf = (bytes: Buffer) => new Uint8Array(bytes).buffer;
const readParquet = async (bytes: Buffer): Promise<readonly Row[]> =>
  await parquetReadObjects({ file: bufferOf(bytes) });

const texts = [
  'plain',
  '',
  ' spaces ',
  'a,b;c\td',
  'say "hello"',
  '""',
  'two\nlines\r\nthree\rfour',
  'ünïcödé 漢字 🙂 \u2028 end',
  "'apostrophe",
  'NaN',
  'null',
  '\\N',
];
const values = [
  1.5,
  -0,
  0,
  -1e-7,
  5e-324,
  1.797e308,
  0.1 + 0.2,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

/** Each text and each value once as a label, a score, a category and a number; and one with nothing at all. */
const oddRows = [
  ...numbers(12).map((n) => ({
    subject: `s${n}`,
    label: texts[n] ?? null,
    score: values[n] ?? null,
    features: { ...(n < 10 ? { 'a number': values[9 - n] ?? 0 } : {}), 'kind, "of"': texts[11 - n] ?? '' },
    output: n === 0 ? null : { list: [n, null], text: texts[n] ?? '' },
  })),
  { subject: 'bare' },
];
const heads = [
  ...['id', 'predicted_at', 'model', 'version', 'version_id', 'subject', 'label', 'score', 'latency_ms', 'source'],
  ...['batch_job_id', 'run_id', 'experiment', 'variant'],
];
const features = ['feature_a number', 'feature_kind, "of"'];
/** As the ledger has them. */
const expected = oddRows.map((row) => ({
  subject: row.subject,
  label: 'label' in row ? row.label : null,
  score: 'score' in row ? row.score : null,
  'feature_a number': 'features' in row ? (row.features['a number'] ?? null) : null,
  'feature_kind, "of"': 'features' in row ? row.features['kind, "of"'] : null,
}));

describe('CSV', () => {
  it('has the columns in their order and every value as it was recorded', async () => {
    const tenant = await exportTenant(predictions.db, oddRows);
    const bytes = await exported(predictions.db, tenant, { format: 'csv', escapeFormulas: false });
    const rows = readCsv(bytes);
    expect(Object.keys(rows[0] ?? {})).toEqual([...heads, ...features]);
    expect(rows.map(({ subject, label, score, ...row }) => ({ subject, label, score, ...featuresOf(row) }))).toEqual(
      expected.map((row) => ({
        ...row,
        score: textOf(row.score),
        'feature_a number': textOf(row['feature_a number']),
      })),
    );
    expect(rows.at(-1)).toMatchObject({
      ...{ predicted_at: exportNow.toISOString(), model: 'churn', version: '1', source: 'online', variant: null },
      version_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    // Missing is nothing between the commas, an empty text is "".
    expect(bytes.toString('utf8')).toContain(',s1,"",-0,');
  });

  it('puts an apostrophe before what a spreadsheet would take for a formula, and before no number', async () => {
    const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', '=HYPERLINK("http://x";"y")', '=1,2'];
    const tenant = await exportTenant(
      predictions.db,
      formulas.map((label) => ({
        label,
        subject: `=s ${formulas.indexOf(label)}`,
        score: -1.5,
        features: { c: label, n: -2 },
      })),
    );
    const escaped = readCsv(await exported(predictions.db, tenant, { format: 'csv' }));
    expect(escaped.map(({ label }) => label)).toEqual(formulas.map((label) => `'${label}`));
    for (const row of escaped) {
      expect(row).toMatchObject({ score: '-1.5', feature_n: '-2' });
      expect(row['subject']).toMatch(/^'=s/);
      expect(row['feature_c']).toBe(row['label']);
    }
    const plain = readCsv(await exported(predictions.db, tenant, { format: 'csv', escapeFormulas: false }));
    expect(plain.map(({ label }) => label)).toEqual(formulas);
  });
});

describe('NDJSON', () => {
  it('has the same columns in each line, NaN and infinities as texts, and every other value as it is', async () => {
    const tenant = await exportTenant(predictions.db, oddRows);
    const rows = readNdjson(await exported(predictions.db, tenant, { format: 'ndjson' }));
    for (const row of rows) expect(Object.keys(row)).toEqual([...heads, ...features]);
    const asText = (value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? `${value}` : value);
    expect(rows.map(({ subject, label, score, ...row }) => ({ subject, label, score, ...featuresOf(row) }))).toEqual(
      expected.map((row) => ({
        ...row,
        score: asText(row.score),
        'feature_a number': asText(row['feature_a number']),
      })),
    );
    expect(rows.at(-1)?.['predicted_at']).toBe(exportNow.toISOString());
  });
});

describe('Parquet', () => {
  it('has typed columns and every value as it was recorded, NaN beside null', async () => {
    const tenant = await exportTenant(predictions.db, oddRows);
    const bytes = await exported(predictions.db, tenant, { format: 'parquet' });
    const rows = await readParquet(bytes);
    expect(rows.map(({ subject, label, score, ...row }) => ({ subject, label, score, ...featuresOf(row) }))).toEqual(
      expected,
    );
    expect(rows.at(-1)?.['predicted_at']).toEqual(exportNow);
    const { children } = parquetSchema(parquetMetadata(bufferOf(bytes)));
    expect(children.map(({ element }) => element.name)).toEqual([...heads, ...features]);
    const typeOf = (name: string) => children.find(({ element }) => element.name === name)?.element;
    expect(typeOf('id')).toMatchObject({ type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' });
    expect(typeOf('predicted_at')).toMatchObject({ type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' });
    expect(typeOf('feature_a number')).toMatchObject({ type: 'DOUBLE', repetition_type: 'OPTIONAL' });
  });

  it('is written in groups of rows, of which the last is not full', async () => {
    const wide = Object.fromEntries(numbers(1_400).map((n) => [`f${n}`, n]));
    // So many columns that a group has few rows.
    const groupRows = Math.floor(PREDICTION_LIMITS.exportGroupValues / (1_400 + heads.length));
    const count = groupRows + 3;
    const tenant = await exportTenant(predictions.db, [
      { features: wide },
      ...numbers(count - 1).map((n) => ({ subject: `s${n}`, score: n })),
    ]);
    const bytes = await exported(predictions.db, tenant, { format: 'parquet' });
    const { row_groups: groups, num_rows: rows } = parquetMetadata(bufferOf(bytes));
    expect([groups.map(({ num_rows: size }) => Number(size)), Number(rows)]).toEqual([[groupRows, 3], count]);
    const scores = await parquetReadObjects({ file: bufferOf(bytes), columns: ['score'] });
    expect(scores.map(({ score }) => score)).toEqual([null, ...numbers(count - 1)]);
  }, 60_000);

  it('is a file also where nothing is in the window', async () => {
    const tenant = await exportTenant(predictions.db, oddRows);
    const from = new Date('2030-01-01Z');
    const bytes = await exported(predictions.db, tenant, { format: 'parquet', from });
    expect(await readParquet(bytes)).toEqual([]);
    expect(parquetSchema(parquetMetadata(bufferOf(bytes))).children).toHaveLength(heads.length + 2);
    expect((await exported(predictions.db, tenant, { format: 'csv', from })).toString()).toMatch(
      /^id,predicted_at,[^\n]*\r\n$/,
    );
    expect(await exported(predictions.db, tenant, { format: 'ndjson', from })).toHaveLength(0);
  });
});

describe('exportPredictions', () => {
  it('has nothing where a feature is missing, also one that is named as what each object has', async () => {
    const rows = [{ subject: 'a', features: { constructor: 1, toString: 'x' } }, { subject: 'b' }];
    const tenant = await exportTenant(predictions.db, rows);
    const read = readNdjson(await exported(predictions.db, tenant, { format: 'ndjson' }));
    expect(read.map((row) => [row['feature_constructor'], row['feature_toString']])).toEqual([
      [1, 'x'],
      [null, null],
    ]);
    expect(await exported(predictions.db, tenant, { format: 'parquet' })).not.toHaveLength(0);
    const csv = readCsv(await exported(predictions.db, tenant, { format: 'csv' }));
    expect(csv[1]).toMatchObject({ feature_constructor: null, feature_toString: null });
  });

  it.each(exportFormats)('adds truth and output to %s when asked', async (format) => {
    const tenant = await exportTenant(predictions.db, oddRows);
    const observedAt = new Date('2026-05-04T09:00:00.000Z');
    await labelled(predictions.db, tenant, [
      { subject: 's1', label: 'stays', observedAt },
      { subject: 's2', value: -1.25, observedAt },
    ]);
    const bytes = await exported(predictions.db, tenant, { format, withTruth: true, withOutput: true });
    const rows = format === 'csv' ? readCsv(bytes) : format === 'ndjson' ? readNdjson(bytes) : await readParquet(bytes);
    expect(Object.keys(rows[0] ?? {})).toEqual([
      ...heads,
      'true_label',
      'true_value',
      'observed_at',
      'output',
      ...features,
    ]);
    const time = format === 'parquet' ? observedAt : observedAt.toISOString();
    const json = (value: unknown) => (format === 'csv' ? JSON.stringify(value) : value);
    expect(rows[0]).toMatchObject({ true_label: null, true_value: null, observed_at: null, output: null });
    expect(rows[1]).toMatchObject({ true_label: 'stays', true_value: null, observed_at: time });
    expect(rows[2]).toMatchObject({
      ...{ true_label: null, true_value: format === 'csv' ? '-1.25' : -1.25, observed_at: time },
      output: json({ list: [2, null], text: ' spaces ' }),
    });
  });

  it.each(exportFormats)('gives the window alone, in the order of time, over many batches, as %s', async (format) => {
    const tenant = await exportTenant(
      predictions.db,
      numbers(5_000).map((n) => ({ subject: `s${n}`, features: { n } })),
    );
    const at = (n: number) => new Date(exportNow.getTime() - 4_999 + n);
    const bytes = await exported(predictions.db, tenant, { format, from: at(1_000), to: at(4_001) });
    const rows = format === 'csv' ? readCsv(bytes) : format === 'ndjson' ? readNdjson(bytes) : await readParquet(bytes);
    expect(rows.map(({ feature_n: n }) => Number(n))).toEqual(numbers(3_001).map((n) => n + 1_000));
  });

  it('is what it was when it began: rows and features that come meanwhile are not in it', async () => {
    const tenant = await exportTenant(
      predictions.db,
      numbers(2_500).map((n) => ({ features: { n } })),
    );
    const chunks: Uint8Array[] = [];
    for await (const chunk of exportPredictions(predictions.db, tenant, { reference: 'churn/1', format: 'ndjson' })) {
      if (chunks.length === 0) {
        await predictions.run(tenant, (tx) =>
          recordPredictions(tx, { reference: 'churn/1', predictions: [{ features: { later: 1 } }] }),
        );
      }
      chunks.push(chunk);
    }
    const rows = readNdjson(Buffer.concat(chunks));
    expect(rows).toHaveLength(2_500);
    expect(rows[0]).not.toHaveProperty('feature_later');
  });

  it('goes by pipeline into a file', async () => {
    const tenant = await exportTenant(
      predictions.db,
      numbers(1_500).map((n) => ({ features: { n } })),
    );
    const folder = mkdtempSync(join(tmpdir(), 'export-'));
    const path = join(folder, 'predictions.csv');
    const file = await open(path, 'w');
    await pipeline(
      exportPredictions(predictions.db, tenant, { reference: 'churn/1', format: 'csv' }),
      file.createWriteStream(),
    );
    const chunks: Buffer[] = [];
    const source = createReadStream(path).on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    await once(source, 'end');
    expect(readCsv(Buffer.concat(chunks))).toHaveLength(1_500);
    rmSync(folder, { recursive: true });
  });

  it('closes its transaction when the consumer leaves, and when the signal aborts', async () => {
    const tenant = await exportTenant(
      predictions.db,
      numbers(3_000).map((n) => ({ features: { n } })),
    );
    const pool = await connect({ url: predictions.serviceUrl, max: 1, acquireTimeoutMs: 1_000 });
    const isFree = () => withTenant(pool, tenant, (tx) => tx.execute(sql`select from pg_cursors where name <> ''`));
    const input = { reference: 'churn/1', format: 'ndjson' } as const;
    for await (const chunk of exportPredictions(pool, tenant, input)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(await isFree()).toHaveLength(0);

    const stop = new AbortController();
    const rows = exportPredictions(pool, tenant, { ...input, signal: stop.signal });
    await rows.next();
    // Nobody asks for more, as of a client that hangs.
    stop.abort(new Error('The client has gone.'));
    expect(await isFree()).toHaveLength(0);
    await expect(rows.next()).rejects.toThrow('The client has gone.');
    await expect(exportPredictions(pool, tenant, { ...input, signal: stop.signal }).next()).rejects.toThrow('gone');

    const failing = pipeline(exportPredictions(pool, tenant, input), async (source) => {
      for await (const chunk of source) throw new Error(`The disk is full after ${typeof chunk}.`);
    });
    await expect(failing).rejects.toThrow('The disk is full');
    expect(await isFree()).toHaveLength(0);
    await pool.close();
  });

  it('tells of a lost connection', async () => {
    const tenant = await exportTenant(
      predictions.db,
      numbers(3_000).map((n) => ({ features: { n } })),
    );
    const pool = await connect({ url: predictions.serviceUrl, max: 1, applicationName: 'lost export' });
    const rows = exportPredictions(pool, tenant, { reference: 'churn/1', format: 'csv' });
    await rows.next();
    const { default: postgres } = await import('postgres');
    const other = postgres(predictions.serviceUrl, { max: 1 });
    await other`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lost export'`;
    await other.end();
    expect(await refusalOf(rows.next().then(() => rows.next()))).toMatchObject({ code: 'unavailable' });
    await pool.close();
  });

  it('refuses what does not exist, and input outside of its schema', async () => {
    const tenant = await exportTenant(predictions.db, [{}]);
    const first = (input: object) =>
      refusalOf(exportPredictions(predictions.db, tenant, { format: 'csv', ...input } as never).next());
    expect(await first({ name: 'churn', version: '2' })).toMatchObject({ code: 'not_found' });
    await predictions.run(tenant, (tx) => registerVersion(tx, { name: 'churn' }));
    expect(await first({ name: 'churn', version: '2' })).toMatchObject({ code: 'not_found' });
    expect(await first({ name: 'churn' })).toMatchObject({ code: 'invalid_input' });
    expect(await first({ reference: 'churn/1', format: 'xlsx' })).toMatchObject({ details: { field: 'format' } });
    await predictions.run(tenant, (tx) => deleteVersion(tx, { name: 'churn', version: '1' }));
    expect(await first({ reference: 'churn/1' })).toMatchObject({ code: 'not_found' });
  });

  it('gives nothing of another tenant, by name or by id', async () => {
    const tenant = await exportTenant(predictions.db, [{ subject: 'theirs' }]);
    const [row] = readNdjson(await exported(predictions.db, tenant, { format: 'ndjson' }));
    const other = await exportTenant(predictions.db, [{ subject: 'ours' }]);
    expect(readNdjson(await exported(predictions.db, other, { format: 'ndjson' }))).toMatchObject([
      { subject: 'ours' },
    ]);
    const outcomes = [String(row?.['version_id']), '01890000-0000-7000-8000-000000000000'].map((versionId) =>
      refusalOf(exportPredictions(predictions.db, freshTenant(), { versionId, format: 'csv' }).next()),
    );
    const [ofTheirs, ofNobody] = await Promise.all(outcomes);
    expect(ofTheirs).toMatchObject({ code: 'not_found', message: ofNobody?.message });
  });
});

const featuresOf = (row: Row) => Object.fromEntries(features.map((name) => [name, row[name]]));
const textOf = (value: number | null | undefined) =>
  value === null || value === undefined ? null : Object.is(value, -0) ? '-0' : String(value);
