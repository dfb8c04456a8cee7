import { type Id, newId, parseInput, type TenantTx, tenantOf } from '@mcp-hub/db-core';
import { namesOneVersion, ONE_VERSION, versionSubject } from '@mcp-hub/registry';
import {
  checkProfiles,
  type DriftTest,
  type DriftVerdict,
  driftTests,
  mergeProfiles,
  missingCount,
  presentCount,
} from '@mcp-hub/stats';
import { z } from 'zod';
import { findHead } from '../baselines/baselines.ts';
import { readFields } from '../baselines/read-fields.ts';
import type { ProfiledField } from '../baselines/schema.ts';
import { DAY_WINDOW, dayWindow, isDayWindow } from '../inputs.ts';
import { readWindowProfiles } from '../profiles/read-profiles.ts';
import { dataDrift, monitoringDriftChecks } from './schema.ts';

const test = z.enum(driftTests);

export const CheckDriftInput = z
  .strictObject({
    ...versionSubject,
    ...dayWindow,
    /** Of the baseline. Default: the last. */
    revision: z.int().min(1).optional(),
    /** In how many checks of unchanged data at least one field may be called drifted. Default 0.05. */
    alpha: z.number().gt(0).lt(1).optional(),
    /** The tests of numbers, in the place of the default by size. */
    numberTests: z.array(test).min(1).readonly().optional(),
    categoryTests: z.array(test).min(1).readonly().optional(),
    /** From which distance on a difference matters, by test. */
    floors: z.partialRecord(test, z.number().min(0)).optional(),
    /** How often such a check is made, for the number of false alarms to be expected. */
    checksAMonth: z.number().min(0).optional(),
    /** Of the draws by which small samples are judged. Default 1. */
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .optional(),
  })
  .refine(namesOneVersion, ONE_VERSION)
  .refine(isDayWindow, DAY_WINDOW);
export type CheckDriftInput = Readonly<z.input<typeof CheckDriftInput>>;

/** What was found of one field by one test. */
export interface FieldDrift {
  readonly field: ProfiledField;
  readonly name: string;
  readonly test: DriftTest;
  readonly verdict: DriftVerdict;
  readonly statistic: number | null;
  readonly p: number | null;
  readonly adjustedP: number | null;
  readonly distance: number | null;
  readonly threshold: number | null;
  readonly floor: number | null;
  readonly referenceCount: number;
  readonly currentCount: number;
  readonly bins: number | null;
  readonly resolution: number | null;
  readonly reason: string | null;
}

export interface DriftCheck {
  readonly id: Id<'DriftCheck'>;
  readonly versionId: Id<'ModelVersion'>;
  readonly baselineRevision: number;
  readonly fromDay: string;
  readonly toDay: string;
  /** Predictions in the window. */
  readonly rowCount: number;
  /** Whether predictions of these days may have come that the profiles do not know of: refreshProfiles, and check again. */
  readonly isStale: boolean;
  readonly alpha: number;
  /** How many checks of a month name at least one field at the most, where nothing drifts. */
  readonly falseChecksAMonth: number | null;
  /** Those that drifted first, the largest distance beside its floor first. */
  readonly results: readonly FieldDrift[];
}

/**
 * Checks a window of days of a version for drift from its baseline, all fields at once, and keeps what it finds. It reads
 * profiles, so its cost depends on days and fields and not on how many predictions they stand for. Six statements, no lock.
 *
 * @throws DomainError `not_found` without the version or a baseline.
 */
export async function checkDrift(tx: TenantTx, input: CheckDriftInput): Promise<DriftCheck> {
  const parsed = parseInput(CheckDriftInput, input);
  const { name, version, versionId: given, reference, fromDay, toDay, revision } = parsed;
  const { alpha = 0.05, seed = 1, checksAMonth, floors, numberTests, categoryTests } = parsed;
  const head = await findHead(tx, { name, version, versionId: given, reference }, revision);
  const fields = await readFields(tx, head.id);
  const { rowCount, profiles, isStale } = await readWindowProfiles(tx, head, { fromDay, toDay });
  const compared = fields.map(({ number, grid, profile }) => ({
    ...{ grid, reference: profile, current: mergeProfiles(grid, profiles.get(number) ?? []) },
    ...{ tests: grid.kind === 'number' ? numberTests : categoryTests, floors: present(floors) },
  }));
  const check = checkProfiles(compared, { alpha, seed, ...(checksAMonth === undefined ? {} : { checksAMonth }) });
  const results = check.tests.map(({ index, test: testName, result, reason, adjustedP, verdict }): FieldDrift => {
    const one = fields[index];
    const pair = compared[index];
    if (one === undefined || pair === undefined) throw new TypeError('Each test is of a field');
    return {
      ...{ field: one.field, name: one.name, test: testName, verdict },
      ...{ statistic: result?.statistic ?? null, p: result?.p ?? null, adjustedP, distance: result?.distance ?? null },
      ...{ threshold: result?.threshold ?? null, floor: result?.floor ?? null },
      referenceCount: result?.n ?? presentCount(pair.reference) + missingCount(pair.reference),
      currentCount: result?.m ?? presentCount(pair.current) + missingCount(pair.current),
      ...{ bins: result?.bins ?? null, resolution: result?.resolution ?? null, reason },
    };
  });
  const id = newId<'DriftCheck'>();
  await storeCheck(tx, {
    ...{ id, head, fromDay, toDay, alpha, seed, rowCount, results },
    falseChecksAMonth: check.falseChecksAMonth,
  });
  return {
    ...{
      id,
      versionId: head.modelVersionId,
      baselineRevision: head.revision,
      fromDay,
      toDay,
      rowCount,
      isStale,
      alpha,
    },
    ...{ falseChecksAMonth: check.falseChecksAMonth, results: results.toSorted(bySeverity) },
  };
}

const present = (floors: Partial<Record<DriftTest, number | undefined>> | undefined) =>
  floors === undefined
    ? undefined
    : (Object.fromEntries(Object.entries(floors).filter(([, floor]) => floor !== undefined)) as Partial<
        Record<DriftTest, number>
      >);

const rank: Readonly<Record<DriftVerdict, number>> = { drift: 0, negligible: 1, stable: 2, undefined: 3 };
const excess = ({ distance, floor }: FieldDrift) => (distance ?? 0) / Math.max(floor ?? 0, 1e-9);
const bySeverity = (a: FieldDrift, b: FieldDrift) => rank[a.verdict] - rank[b.verdict] || excess(b) - excess(a);

async function storeCheck(
  tx: TenantTx,
  check: {
    readonly id: Id<'DriftCheck'>;
    readonly head: Awaited<ReturnType<typeof findHead>>;
    readonly fromDay: string;
    readonly toDay: string;
    readonly alpha: number;
    readonly seed: number;
    readonly rowCount: number;
    readonly falseChecksAMonth: number | null;
    readonly results: readonly FieldDrift[];
  },
): Promise<void> {
  const { id, head, fromDay, toDay, alpha, seed, rowCount, falseChecksAMonth, results } = check;
  const shared = {
    ...{ tenantId: tenantOf(tx), modelVersionId: head.modelVersionId, baselineRevision: head.revision, fromDay, toDay },
  };
  await tx.insert(monitoringDriftChecks).values({
    ...shared,
    ...{ id, baselineId: head.id, alpha, seed, rowCount, falseChecksAMonth, testCount: results.length },
    driftCount: results.filter(({ verdict }) => verdict === 'drift').length,
  });
  if (results.length > 0)
    await tx.insert(dataDrift).values(results.map((result) => ({ ...shared, ...result, checkId: id })));
}
