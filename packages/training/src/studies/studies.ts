import {
  defineFilterFields,
  defineList,
  defineOrder,
  type Id,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
  tenantOf,
  timeField,
  uuidField,
} from '@mcp-hub/db-core';
import { and, eq, getTableColumns, isNotNull, isNull } from 'drizzle-orm';
import { z } from 'zod';
import { studyNotFound } from '../not-found.ts';
import { hyperparameterStudies, studyStatuses } from '../schema.ts';
import { studyIdInput, studyName } from './study-inputs.ts';
import type { StudyColumns } from './study-lock.ts';

const { lastChangeNumber: _, nextSweepAt: __, ...columns } = getTableColumns(hyperparameterStudies);

/** A study as functions give it; `nextTrialNumber` is how many trials it has. */
export type Study = Readonly<Omit<StudyColumns, 'lastChangeNumber' | 'nextSweepAt'>>;

/** Without what only the functions need. */
export function asStudy(row: StudyColumns): Study {
  const { lastChangeNumber: _changes, nextSweepAt: _sweep, ...study } = row;
  return study;
}

export const GetStudyInput = z
  .strictObject({ studyId: studyIdInput.optional(), name: studyName.optional() })
  .refine((given) => (given.studyId === undefined) !== (given.name === undefined), {
    error: 'must name the study by either studyId or name',
  });
export type GetStudyInput = Readonly<z.input<typeof GetStudyInput>>;

/** As findStudy. @throws DomainError `not_found` where it gives undefined. */
export async function getStudy(tx: TenantTx, input: GetStudyInput): Promise<Study> {
  const study = await findStudy(tx, input);
  if (study === undefined) throw studyNotFound();
  return study;
}

/** The study, or undefined where it is not there or deleted. One statement, no lock. */
export async function findStudy(tx: TenantTx, input: GetStudyInput): Promise<Study | undefined> {
  const given = parseInput(GetStudyInput, input);
  const [study] = await tx
    .select(columns)
    .from(hyperparameterStudies)
    .where(
      and(
        eq(hyperparameterStudies.tenantId, tenantOf(tx)),
        given.studyId === undefined
          ? eq(hyperparameterStudies.name, given.name ?? '')
          : eq(hyperparameterStudies.id, given.studyId as Id<'Study'>),
        isNull(hyperparameterStudies.deletedAt),
      ),
    );
  return study;
}

export const ListStudiesInput = z.strictObject({
  ...PageInput.shape,
  status: z.enum(studyStatuses).optional(),
  /** The deleted ones instead, which can be restored. Default false. */
  deleted: z.boolean().optional(),
});
export type ListStudiesInput = Readonly<z.input<typeof ListStudiesInput>>;

const studyFields = defineFilterFields({
  id: uuidField(hyperparameterStudies.id),
  createdAt: timeField(hyperparameterStudies.createdAt),
});
const studyList = defineList({
  name: 'training.studies',
  from: hyperparameterStudies,
  columns,
  order: defineOrder({
    fields: studyFields,
    byDefault: [{ field: 'createdAt', direction: 'desc' }],
    tieBreaker: studyFields.fields.id,
  }),
});

/** The studies, the newest first, by pages. One statement, no lock. */
export async function listStudies(tx: TenantTx, input: ListStudiesInput = {}): Promise<Page<Study>> {
  const { status, deleted = false, ...wanted } = parseInput(ListStudiesInput, input);
  const condition = and(
    status === undefined ? undefined : eq(hyperparameterStudies.status, status),
    deleted ? isNotNull(hyperparameterStudies.deletedAt) : isNull(hyperparameterStudies.deletedAt),
  );
  return await readPage(tx, studyList, { ...wanted, within: { condition, of: [status ?? null, deleted] } });
}
