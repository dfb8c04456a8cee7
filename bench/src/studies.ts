import { connect, type Database, jsonParameter, type TenantTx, tenantOf, withTenant } from '@mcp-hub/db-core';
import {
  type AskedTrial,
  askTrial,
  createStudy,
  findBestTrial,
  listParetoTrials,
  reportTrialValue,
  tellTrial,
} from '@mcp-hub/training';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { type Case, type Measured, measure } from './measure.ts';
import { printTable } from './report.ts';
import { startBenchDatabase } from './server.ts';

const sizes = [100, 10_000, 80_000] as const;
const stepsPerTrial = 3;
const rounds = { rounds: 100, warmUp: 20 };
const reads = { rounds: 30, warmUp: 5 };

const searchSpace = {
  learningRate: { type: 'float', low: 1e-5, high: 1, log: true },
  momentum: { type: 'float', low: 0, high: 1 },
  depth: { type: 'int', low: 1, high: 12 },
  booster: { type: 'categorical', choices: ['tree', 'linear', 'dart'] },
} as const;

/** What it costs to be given a trial and to tell it, in studies of several sizes. */
export async function benchStudies(): Promise<void> {
  const database = await startBenchDatabase();
  try {
    const db = await connect({ url: database.serviceUrl, max: 4 });
    const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
    const studies = new Map<string, string>();
    for (const kind of ['random', 'tpe'] as const) {
      for (const size of sizes) studies.set(`${kind} ${size}`, await fillStudy(db, kind, size));
    }
    // Before the values: their foreign key is checked by a plan that goes by what is known of the trials.
    await owner`vacuum (analyze) hyperparameter_trials`;
    for (const size of sizes) await withTenant(db, tenantOfSize('random', size), insertValues);
    await owner`vacuum (analyze) hyperparameter_studies, hyperparameter_trial_values`;
    await owner.end();

    const asking = (kind: 'random' | 'tpe', inOrder: readonly number[], aims: Readonly<Record<number, string>>) =>
      inOrder.map((size): Case => {
        const studyId = studies.get(`${kind} ${size}`) ?? '';
        const run = () => askAndTell(db, tenantOfSize(kind, size), studyId);
        return { name: size.toLocaleString('en-US'), aim: aims[size] ?? '', run };
      });
    const random = asking('random', sizes, { 10_000: '1.2', 80_000: '1.2' });
    print('Ask and tell, random: trials before', await measure(random, rounds));
    // TPE looks at 1,000 trials: below that there is less to think about.
    const tpe = asking('tpe', [10_000, 80_000, 100], { 80_000: '1.2' });
    print('Ask and tell, TPE: trials before', await measure(tpe, rounds));
    const each = (work: (tenant: string, studyId: string) => Promise<unknown>) =>
      sizes.map((size): Case => {
        const studyId = studies.get(`random ${size}`) ?? '';
        return { name: size.toLocaleString('en-US'), run: () => work(tenantOfSize('random', size), studyId) };
      });
    const reporting: Case[] = [];
    for (const size of sizes) {
      const [tenant, studyId] = [tenantOfSize('random', size), studies.get(`random ${size}`) ?? ''];
      reporting.push({ name: size.toLocaleString('en-US'), run: await reporter(db, tenant, studyId) });
    }
    print('A report decided by the median: trials before', await measure(reporting, reads));
    const best = each((tenant, studyId) => withTenant(db, tenant, (tx) => findBestTrial(tx, { studyId })));
    print('The best trial: trials before', await measure(best, reads));
    const front = each((tenant, studyId) => withTenant(db, tenant, (tx) => listParetoTrials(tx, { studyId })));
    print('The Pareto front: trials before', await measure(front, reads));
    await db.close();
  } finally {
    await database.end();
  }
}

const tenantOfSize = (kind: string, size: number) => `studies-${kind}-${size}`;

async function fillStudy(db: Database, kind: 'random' | 'tpe', size: number): Promise<string> {
  return await withTenant(db, tenantOfSize(kind, size), async (tx) => {
    const { id } = await createStudy(tx, {
      name: 'bench',
      searchSpace,
      sampler: { kind },
      pruner: { kind: 'median' },
      seed: 7,
    });
    await insertTrials(tx, id, size);
    return id;
  });
}

async function insertTrials(tx: TenantTx, studyId: string, size: number): Promise<void> {
  const tenant = tenantOf(tx);
  await tx.execute(sql`select setseed(0.5)`);
  await tx.execute(sql`
    insert into hyperparameter_trials
           (tenant_id, study_id, number, status, params, values, attempt, fencing_token, started_at, ended_at)
    select ${tenant}, ${studyId}::uuid, n, 'complete',
           ${jsonParameter({ booster: 'tree', depth: 3 })}
             || jsonb_build_object('learningRate', 10 ^ (-5 * random()), 'momentum', random()),
           array[random()], 1, 1, app_now(), app_now()
      from generate_series(0, ${size}::int - 1) as n`);
  await tx.execute(sql`
    update hyperparameter_studies set next_trial_number = ${size}::int
     where tenant_id = ${tenant} and id = ${studyId}::uuid`);
}

async function insertValues(tx: TenantTx): Promise<void> {
  await tx.execute(sql`
    insert into hyperparameter_trial_values (tenant_id, study_id, trial_id, attempt, step, value)
    select tenant_id, study_id, id, 1, step, random()
      from hyperparameter_trials, generate_series(1, ${stepsPerTrial}::int) as step
     where tenant_id = ${tenantOf(tx)}`);
}

async function askAndTell(db: Database, tenant: string, studyId: string): Promise<void> {
  const { trial } = await askTrial(db, tenant, { studyId });
  if (trial === undefined) throw new Error('The study has ended.');
  await withTenant(db, tenant, (tx) => tellTrial(tx, { lease: trial.lease, values: Math.random() }));
}

/** Reports for one trial after the other, at a step that all have come to. The trials are asked for before. */
async function reporter(db: Database, tenant: string, studyId: string): Promise<() => Promise<unknown>> {
  const asked: AskedTrial[] = [];
  while (asked.length < reads.rounds + reads.warmUp) {
    const { trial } = await askTrial(db, tenant, { studyId });
    if (trial !== undefined) asked.push(trial);
  }
  return async () => {
    const lease = asked.pop()?.lease;
    if (lease === undefined) throw new Error('More rounds than trials.');
    return await withTenant(db, tenant, (tx) => reportTrialValue(tx, { lease, step: 1, value: Math.random() }));
  };
}

function print(title: string, measured: readonly Measured[]): void {
  printTable(
    title,
    measured.map(({ name, medianMs, p95Ms, ratio, aim }) => ({
      trials: name,
      'median ms': medianMs,
      'p95 ms': p95Ms,
      'beside the first': ratio,
      aim,
    })),
  );
}
