import {
  DomainError,
  float8Array,
  int8Array,
  type TenantTx,
  tenantOf,
  textArray,
  timestampArray,
} from '@mcp-hub/db-core';
import { sql } from 'drizzle-orm';
import { predictionLabelHistory, predictionLabels } from './schema.ts';

/** What a call says of a subject. */
export interface Truth {
  /** In the call. */
  readonly index: number;
  readonly label: string | null;
  readonly value: number | null;
  readonly at: Date;
  /** Whether the caller said when it was observed. */
  readonly isDated: boolean;
}

export interface SubjectTruths {
  readonly subject: string;
  readonly truths: readonly Truth[];
}

export interface LabelCounts {
  readonly recorded: number;
  readonly corrected: number;
  readonly superseded: number;
  readonly repeated: number;
}

/** What the database knows of a subject at a time. */
interface KnownTruth {
  readonly label: string | null;
  readonly value: number | null;
  readonly atMs: number;
  readonly recorded: Recording;
}

interface Recording {
  readonly actor: string | null;
  readonly at: Date;
}

/** Subjects of a statement. */
const PORTION = 5_000;

/** Writes the labels of subjects that come in their order. Two round trips a portion, four where some are known. */
export async function writeLabels(
  tx: TenantTx,
  modelId: string,
  given: readonly SubjectTruths[],
): Promise<LabelCounts> {
  const counts = { recorded: 0, corrected: 0, superseded: 0, repeated: 0 };
  for (let from = 0; from < given.length; from += PORTION) {
    const portion = given.slice(from, from + PORTION).map((subject) => withoutRepeats(subject, counts));
    const made = await insertNew(tx, modelId, portion);
    counts.recorded += made.size;
    const late: Row[] = [];
    for (const { subject, earlier } of portion) {
      if (made.has(subject)) late.push(...earlier.map((truth) => rowOf(subject, truth)));
    }
    counts.superseded += late.length;
    const known = portion.filter(({ subject }) => !made.has(subject));
    if (known.length > 0) await correct(tx, modelId, known, counts, late);
    await keepHistory(tx, modelId, late);
  }
  return counts;
}

interface Batch {
  readonly subject: string;
  readonly latest: Truth;
  /** In the order of time. */
  readonly earlier: readonly Truth[];
}

interface Row {
  readonly subject: string;
  readonly label: string | null;
  readonly value: number | null;
  readonly at: Date;
  /** Undefined: by this call. */
  readonly recorded?: Recording;
}

interface Change {
  readonly row: Row;
  /** Observations that were not known. */
  readonly added: number;
}

const rowOf = (subject: string, { label, value, at }: Truth): Row => ({ subject, label, value, at });

type Counts = { -readonly [Key in keyof LabelCounts]: number };

function withoutRepeats({ subject, truths }: SubjectTruths, counts: Counts): Batch {
  const byTime = new Map<number, Truth>();
  for (const truth of truths) {
    const known = byTime.get(truth.at.getTime());
    if (known === undefined) byTime.set(truth.at.getTime(), truth);
    else if (isSame(known, truth)) counts.repeated += 1;
    else throw otherTruth(truth.index);
  }
  const inOrder = [...byTime.values()].sort((one, other) => one.at.getTime() - other.at.getTime());
  const latest = inOrder.at(-1);
  if (latest === undefined) throw new TypeError('A subject has a truth');
  return { subject, latest, earlier: inOrder.slice(0, -1) };
}

// NaN is itself, and 0 is -0, as in PostgreSQL.
const isSame = (one: Pick<KnownTruth, 'label' | 'value'>, other: Pick<KnownTruth, 'label' | 'value'>) =>
  one.label === other.label &&
  (one.value === other.value || (Number.isNaN(one.value ?? 0) && Number.isNaN(other.value ?? 0)));

function otherTruth(index: number): DomainError {
  const field = `labels[${index}]`;
  return new DomainError(
    'conflict',
    `${field} is another than was recorded for its subject with the same observedAt. A correction is observed later: give it a later time.`,
    { details: { field, index } },
  );
}

/**
 * The subjects that had no label before. The rows of the others are locked: ON CONFLICT DO UPDATE does so in the order in
 * which rows come, also where its WHERE lets none through; to lock them after the insert would be a second order.
 */
async function insertNew(tx: TenantTx, modelId: string, portion: readonly Batch[]): Promise<ReadonlySet<string>> {
  const latest = portion.map(({ latest: truth }) => truth);
  const rows = await tx.execute<{ subject: string }>(sql`
    insert into ${predictionLabels} as l (tenant_id, model_id, subject, label, value, observed_at, revision)
    select ${tenantOf(tx)}, ${modelId}::uuid, subject, label, value, observed_at, revision
      from unnest(${textArray(portion.map(({ subject }) => subject))}, ${textArray(latest.map(({ label }) => label))},
                  ${float8Array(latest.map(({ value }) => value))}, ${timestampArray(latest.map(({ at }) => at))},
                  ${int8Array(portion.map(({ earlier }) => earlier.length + 1))})
           with ordinality as given (subject, label, value, observed_at, revision, number)
     order by number
        on conflict (tenant_id, model_id, subject) do update set revision = l.revision where false
    returning subject`);
  return new Set(rows.map(({ subject }) => subject));
}

/** Compares with what is known, which this transaction holds, and puts the latest in its place. */
async function correct(
  tx: TenantTx,
  modelId: string,
  portion: readonly Batch[],
  counts: Counts,
  history: Row[],
): Promise<void> {
  const { current, past } = await readKnown(tx, modelId, portion);
  const changed: Change[] = [];
  const grown: Change[] = [];
  for (const { subject, latest, earlier } of portion) {
    const holds = current.get(subject);
    if (holds === undefined) throw new TypeError('A label that is held stays');
    const fresh: Truth[] = [];
    for (const truth of [...earlier, latest]) {
      const atMs = truth.at.getTime();
      const known = atMs === holds.atMs ? holds : past.get(pastKey(subject, atMs));
      if (known === undefined && (truth.isDated || !isSame(truth, holds))) fresh.push(truth);
      else if (isSame(truth, known ?? holds)) counts.repeated += 1;
      else throw otherTruth(truth.index);
    }
    const last = fresh.at(-1);
    if (last === undefined) continue;
    if (last.at.getTime() > holds.atMs) {
      changed.push({ row: rowOf(subject, last), added: fresh.length });
      const { label, value, atMs, recorded } = holds;
      history.push({ subject, label, value, at: new Date(atMs), recorded });
      history.push(...fresh.slice(0, -1).map((truth) => rowOf(subject, truth)));
      counts.corrected += 1;
      counts.superseded += fresh.length - 1;
    } else {
      grown.push({ row: rowOf(subject, last), added: fresh.length });
      history.push(...fresh.map((truth) => rowOf(subject, truth)));
      counts.superseded += fresh.length;
    }
  }
  await replace(tx, modelId, changed);
  await addRevisions(tx, modelId, grown);
}

const pastKey = (subject: string, atMs: number) => `${atMs} ${subject}`;

interface KnownRow extends Record<string, unknown> {
  readonly subject: string;
  readonly label: string | null;
  readonly value: number | null;
  readonly at_ms: number;
  readonly actor: string | null;
  readonly recorded_ms: number;
  readonly holds: boolean;
}

async function readKnown(tx: TenantTx, modelId: string, portion: readonly Batch[]) {
  const tenant = tenantOf(tx);
  const times = portion.flatMap(({ subject, latest, earlier }) =>
    [...earlier, latest].map(({ at }) => ({ subject, at })),
  );
  const columns = sql.raw(`label, value, (extract(epoch from observed_at) * 1000)::float8 as at_ms, actor,
                        (extract(epoch from recorded_at) * 1000)::float8 as recorded_ms`);
  // Lateral and one at a time: of the lists' lengths the server knows nothing, and a join took 12 s for 5,000 subjects.
  const rows = await tx.execute<KnownRow>(sql`
    select given.subject, known.*, true as holds
      from unnest(${textArray(portion.map(({ subject }) => subject))}) as given (subject)
      cross join lateral (
        select ${columns} from ${predictionLabels} l
         where l.tenant_id = ${tenant} and l.model_id = ${modelId}::uuid and l.subject = given.subject
         limit 1) known
     union all
    select given.subject, known.*, false
      from unnest(${textArray(times.map(({ subject }) => subject))}, ${timestampArray(times.map(({ at }) => at))})
           as given (subject, at)
      cross join lateral (
        select ${columns} from ${predictionLabelHistory} h
         where h.tenant_id = ${tenant} and h.model_id = ${modelId}::uuid and h.subject = given.subject
           and h.observed_at = given.at
         limit 1) known`);
  const current = new Map<string, KnownTruth>();
  const past = new Map<string, KnownTruth>();
  for (const { subject, label, value, at_ms: atMs, actor, recorded_ms: recordedMs, holds } of rows) {
    const known = { label, value, atMs, recorded: { actor, at: new Date(recordedMs) } };
    if (holds) current.set(subject, known);
    else past.set(pastKey(subject, atMs), known);
  }
  return { current, past };
}

/** Puts other truths in the place of those that hold, or adds to the revision alone. By ON CONFLICT, as readKnown says. */
async function replace(tx: TenantTx, modelId: string, changed: readonly Change[]): Promise<void> {
  if (changed.length === 0) return;
  await tx.execute(sql`
    insert into ${predictionLabels} as l (tenant_id, model_id, subject, label, value, observed_at, revision)
    select ${tenantOf(tx)}, ${modelId}::uuid, subject, label, value, observed_at, added
      from unnest(${textArray(changed.map(({ row }) => row.subject))}, ${textArray(changed.map(({ row }) => row.label))},
                  ${float8Array(changed.map(({ row }) => row.value))},
                  ${timestampArray(changed.map(({ row }) => row.at))}, ${int8Array(changed.map(({ added }) => added))})
           as given (subject, label, value, observed_at, added)
        on conflict (tenant_id, model_id, subject) do update
       set label = excluded.label, value = excluded.value, observed_at = excluded.observed_at,
           revision = l.revision + excluded.revision, actor = excluded.actor, recorded_at = excluded.recorded_at
     where excluded.observed_at > l.observed_at`);
}

async function addRevisions(tx: TenantTx, modelId: string, grown: readonly Change[]): Promise<void> {
  if (grown.length === 0) return;
  await tx.execute(sql`
    insert into ${predictionLabels} as l (tenant_id, model_id, subject, label, value, observed_at, revision)
    select ${tenantOf(tx)}, ${modelId}::uuid, subject, '', null, app_now(), added
      from unnest(${textArray(grown.map(({ row }) => row.subject))}, ${int8Array(grown.map(({ added }) => added))})
           as given (subject, added)
        on conflict (tenant_id, model_id, subject) do update set revision = l.revision + excluded.revision`);
}

async function keepHistory(tx: TenantTx, modelId: string, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(sql`
    insert into ${predictionLabelHistory} (tenant_id, model_id, subject, observed_at, label, value, actor, recorded_at)
    select ${tenantOf(tx)}, ${modelId}::uuid, subject, observed_at, label, value,
           case when recorded_at is null then nullif(current_setting('app.actor', true), '') else actor end,
           coalesce(recorded_at, app_now())
      from unnest(${textArray(rows.map(({ subject }) => subject))}, ${timestampArray(rows.map(({ at }) => at))},
                  ${textArray(rows.map(({ label }) => label))}, ${float8Array(rows.map(({ value }) => value))},
                  ${textArray(rows.map(({ recorded }) => recorded?.actor ?? null))},
                  ${timestampArray(rows.map(({ recorded }) => recorded?.at ?? null))})
           as given (subject, observed_at, label, value, actor, recorded_at)
        -- One that is there is what a prune left behind that has taken the subject's label and not yet its history.
        on conflict (tenant_id, model_id, subject, observed_at) do update
       set label = excluded.label, value = excluded.value, actor = excluded.actor, recorded_at = excluded.recorded_at,
           replaced_at = excluded.replaced_at`);
}
