import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { iteratePredictions } from '@mcp-hub/predictions';
import { useTestDatabase } from '@mcp-hub/testing';
import {
  findStudy,
  getManifest,
  listMetricPoints,
  listRunModels,
  listTrials,
  listTrialValues,
  searchRuns,
} from '@mcp-hub/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FlightTenant, flightsOf, loadFlights, tenantAirports } from '../src/flights.ts';
import { fitVersion, plannedVersions } from '../src/late-arrival-models.ts';
import { isLocalServer } from '../src/local-server.ts';
import { studyName } from '../src/tuning-study.ts';
import { type Finished, runProgram } from './run-program.ts';

const database = useTestDatabase();
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const tenants = Object.keys(tenantAirports) as FlightTenant[];
/** Lines of what this run did, and of what it found: only the titles differ. */
const done = /^ {2}(registered|evaluated|compared|asked|predicted|labelled|experiment|was there) +/gm;
const root = new URL('../../../', import.meta.url);
/** The charts of a tenant by their file. */
const chartsOf = (tenant: string) => {
  const folder = new URL(`.mcp-hub/charts/flights/${tenant}/`, root);
  return readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const);
};
/** What one run of the example may print differently from another. */
const withoutDurations = (output: string) => output.replaceAll(/\d+\.\d\d ms/g, '… ms');

describe('the flights example', () => {
  let db: Database;
  let first: Finished;
  beforeAll(async () => {
    db = await connect({ url: database.serviceUrl, max: 2, requireUnprivileged: true });
    first = await runProgram(program, [], { POSTGRES_SERVICE_URL: database.serviceUrl });
  }, 120_000);
  afterAll(async () => {
    await db.close();
  });
  const read = <T>(tenant: string, work: (tx: TenantTx) => Promise<T>) => withTenant(db, tenant, work);
  const runsOf = async (tenant: string) => (await read(tenant, (tx) => searchRuns(tx, { orderBy: 'name ASC' }))).items;
  const trialsOf = (tenant: string) =>
    read(tenant, async (tx) => {
      const study = await findStudy(tx, { name: studyName });
      return (await listTrials(tx, { studyId: study?.id ?? '' })).items;
    });

  it('takes both tenants through the pipeline', () => {
    expect(first).toMatchObject({ code: 0 });
    expect(first.output.match(/registered {2}late-arrival\/[123]/g)).toHaveLength(6);
    expect(first.output.match(/production is version 2, late-arrival@champion is version 2/g)).toHaveLength(2);
    expect(first.output.match(/killed .* trial 0, by SIGKILL; .* attempt 2 is complete/g)).toHaveLength(2);
    expect(
      first.output.match(/predicted {3}\d+ flights in a batch job of \d+ chunks by 3 processes: succeeded$/gm),
    ).toHaveLength(2);
    expect(first.output.match(/killed .* chunk 1, by SIGKILL; .* attempt 2 succeeded$/gm)).toHaveLength(2);
    expect(first.output.match(/epochs {6}640 measured, median \d+\.\d\d ms/g)).toHaveLength(2);
    expect(first.output.match(/trials {6}30 measured, median \d+\.\d\d ms/g)).toHaveLength(2);
    expect(first.output).toContain(
      'tenant coast sees its own 5 versions, 3 runs, 30 trials, 4 series, 3 evaluations, 3 decisions, 2740 predictions and 1 batch job, and none of heartland',
    );
  });

  it('says in words which clauses of the gate refused the tuned version, and by what numbers', () => {
    const [heartland, coast] = first.output.split('tenant coast: ');
    const calibration = 'clause 2, metric: calibration_error is';
    expect(heartland).toContain('asked       version 3 refused by the gate quality: 1 of 5 clauses fail');
    expect(heartland).toContain(`${calibration} 0.1166 and has to be at most 0.05.`);
    expect(coast).toContain('asked       version 3 refused by the gate quality: 2 of 5 clauses fail');
    expect(coast).toContain(`${calibration} 0.0715 and has to be at most 0.05.`);
    expect(coast).toContain('non-inferior by delong: It could be worse by 0.0293, and that has to be less than 0.025.');
    expect(first.output.match(/asked {7}version 2 passed by the gate quality: all 5 clauses hold/g)).toHaveLength(2);
    expect(first.output.match(/replayed .* the same$/gm)).toHaveLength(2);
  });

  it('predicts each flight of March once, and prints counts that add up', async () => {
    const [heartland, coast] = first.output.split('tenant coast: ');
    for (const [tenant, output, online, batch, unlabelled] of [
      ['heartland', heartland, 164, 1470, 40],
      ['coast', coast, 137, 1233, 37],
    ] as const) {
      const all = online + batch;
      expect(output).toContain(`adds up     ${online} online + ${batch} in the job = ${all} flights\n`);
      expect(output).toContain(
        `${all - unlabelled} labelled + ${unlabelled} of the last day without = ${all} flights\n`,
      );
      const [, hits, misses, asks] = / (\d+) hits \+ (\d+) misses = (\d+) asks/.exec(output ?? '') ?? [];
      expect([Number(hits) + Number(misses), Number(misses)]).toEqual([Number(asks), online]);
      const [, inSql, fromArrays] =
        / {2}AUC {9}([\d.]+) .* in SQL over ledger and labels\n {14}([\d.]+) from arrays/.exec(output ?? '') ?? [];
      expect(inSql).toMatch(/^0\.6\d{3}$/);
      expect(fromArrays).toBe(inSql);

      const march = flightsOf(loadFlights(), tenant).filter(({ departure }) => departure.getUTCMonth() === 2);
      const subjects = await read(tenant, async (tx) => {
        const found: string[] = [];
        for await (const { subject } of iteratePredictions(tx, { reference: 'late-arrival@champion' }))
          found.push(subject);
        return found;
      });
      expect(subjects.toSorted()).toEqual(march.map(({ id }) => `flight ${id}`).toSorted());
    }
  });

  it('draws the charts of each tenant into a folder that git ignores', () => {
    expect(readFileSync(new URL('.gitignore', root), 'utf8').split('\n')).toContain('.mcp-hub/');
    for (const tenant of tenants) {
      expect(first.output).toContain(`24 SVG files in .mcp-hub/charts/flights/${tenant}`);
      const charts = chartsOf(tenant);
      expect(charts.filter(([name, svg]) => name.endsWith('.svg') && svg.startsWith('<svg '))).toHaveLength(24);
    }
  });

  it('finds what is there when it is run again, and prints and draws the same', async () => {
    const before = await Promise.all(tenants.map(runsOf));
    const charts = tenants.map(chartsOf);
    const second = await runProgram(program, [], { POSTGRES_SERVICE_URL: database.serviceUrl });
    expect(second).toMatchObject({ code: 0 });
    // Durations too: they are read from what the first run measured.
    expect(second.output.replaceAll(done, '')).toBe(first.output.replaceAll(done, ''));
    // Of each tenant three versions, three evaluations, two comparisons, two decisions, three parts of the month, and an experiment.
    expect(first.output).not.toContain('was there');
    expect(second.output.match(done)).toEqual(Array.from({ length: 28 }, () => '  was there   '));
    expect(tenants.map(chartsOf)).toEqual(charts);
    expect(await Promise.all(tenants.map(runsOf))).toEqual(before);
  }, 60_000);

  it.each(tenants)('logs loss and AUC of each epoch of %s, and digests of what came out', async (tenant) => {
    const runs = await runsOf(tenant);
    expect(runs.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'version 1 succeeded',
      'version 2 succeeded',
      'version 3 succeeded',
    ]);
    for (const { id: runId, params, metrics } of runs) {
      const epochs = Number(params['epochs']);
      for (const key of ['loss', 'auc']) {
        const { items } = await read(tenant, (tx) => listMetricPoints(tx, { runId, key, limit: 1_000 }));
        expect(items.map(({ step }) => step)).toEqual(Array.from({ length: epochs }, (_, index) => index + 1));
      }
      expect(metrics['loss']?.latest.value).toBeLessThan(metrics['loss']?.max?.value ?? 0);

      const manifest = await read(tenant, (tx) => getManifest(tx, { runId }));
      const lines = manifest.artifacts.map(({ path }) => {
        const file = readFileSync(new URL(`../../../.mcp-hub/artifacts/flights/${tenant}/${path}`, import.meta.url));
        return `${createHash('sha256').update(file).digest('hex')} ${file.byteLength} ${path}\n`;
      });
      expect(lines).toHaveLength(2);
      expect(manifest.digest).toBe(createHash('sha256').update(lines.join('')).digest('hex'));
    }
  });

  it.each(tenants)(
    'ends all 30 trials of %s, the one whose worker was killed in its second attempt',
    async (tenant) => {
      const trials = await trialsOf(tenant);
      expect(trials.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, number) => number));
      expect(new Set(trials.map(({ status }) => status))).toEqual(new Set(['complete']));
      expect(trials.filter(({ attempt }) => attempt > 1)).toMatchObject([{ number: 0, attempt: 2 }]);

      const [lost] = trials;
      // By the sweep: else the next worker would have had to wait for the end of the lease.
      const starts = trials.map(({ startedAt }) => startedAt?.getTime() ?? 0);
      expect((lost?.startedAt?.getTime() ?? 0) - Math.min(...starts)).toBeLessThan(59_000);
      const { items } = await read(tenant, (tx) => listTrialValues(tx, { trialId: lost?.id ?? '' }));
      const reported = (attempt: number) =>
        items.flatMap((value) => (value.attempt === attempt ? [{ step: value.step, value: value.value }] : []));
      expect(reported(1)).toEqual(reported(2).slice(0, 1));
      expect(reported(2).at(-1)).toEqual({ step: Number(lost?.params?.['epochs']), value: lost?.values?.[0] });
    },
  );

  it.each(tenants)('links each run of %s to its version, and the run of the best trial to that', async (tenant) => {
    const found = await read(tenant, (tx) =>
      searchRuns(tx, { filter: "outputs.`late-arrival` = '3'", orderBy: 'metrics.auc DESC' }),
    );
    expect(found.items.map(({ name }) => name)).toEqual(['version 3']);
    for (const { id: runId, name } of await runsOf(tenant)) {
      const { items } = await read(tenant, (tx) => listRunModels(tx, { runId }));
      expect(items.map(({ modelVersion, role }) => `version ${modelVersion} ${role}`)).toEqual([`${name} output`]);
    }
    const trials = await trialsOf(tenant);
    const most = Math.max(...trials.map(({ values }) => values?.[0] ?? 0));
    const best = trials.find(({ values }) => values?.[0] === most);
    expect(trials.filter(({ runId }) => runId !== null)).toEqual([best]);
    expect(best?.runId).toBe(found.items[0]?.id);
  });

  it('keeps the tenants apart: none sees a run or a trial of the other', async () => {
    const [coast, heartland] = await Promise.all(
      tenants.map(async (tenant) =>
        [...(await runsOf(tenant)), ...(await trialsOf(tenant))].map(({ id }) => String(id)),
      ),
    );
    expect(coast).toHaveLength(33);
    expect(heartland).toHaveLength(33);
    expect(coast?.filter((id) => heartland?.includes(id))).toEqual([]);
  });

  it('refuses a server of another machine, unless told otherwise', async () => {
    const remote = await runProgram(program, [], { POSTGRES_SERVICE_URL: 'postgresql://u:p@db.example.org/x' });
    expect(remote).toMatchObject({ code: 2, output: expect.stringContaining('--allow-remote') });
    expect(['localhost', '127.0.0.1', '[::1]'].map((host) => isLocalServer(`postgresql://u:p@${host}:1/x`))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('fits the same bytes each time, and the second version beats the first on days it has not seen', async () => {
    const flights = flightsOf(loadFlights(), 'coast');
    const fit = () => Promise.all(plannedVersions.map((plan) => fitVersion(plan, flights)));
    const [one, other] = await fit();
    expect((await fit()).map(({ artifact }) => artifact.sha256)).toEqual([
      one?.artifact.sha256,
      other?.artifact.sha256,
    ]);
    expect(one?.heldBackAuc).toBeGreaterThan(0.55);
    expect(other?.heldBackAuc).toBeGreaterThan(one?.heldBackAuc ?? 1);
  });

  it('prints what its README shows', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const shown = /```text\n(?<output>[^`]*)```/.exec(readme)?.groups?.['output'] ?? '';
    expect(shown).toContain('tenant coast');
    for (const part of shown.split('\n\n')) {
      expect(withoutDurations(first.output)).toContain(withoutDurations(part.trimEnd()));
    }
  });
});
