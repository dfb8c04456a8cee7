import {
  defineFilterFields,
  defineList,
  defineOrder,
  numberField,
  type Page,
  PageInput,
  parseInput,
  readPage,
  type TenantTx,
} from '@mcp-hub/db-core';
import { eq, getTableColumns } from 'drizzle-orm';
import { z } from 'zod';
import { hyperparameterStudyEvents } from '../schema.ts';
import { studyIdInput } from './study-inputs.ts';

/** A row of hyperparameter_study_events. */
export type StudyEventRow = Readonly<typeof hyperparameterStudyEvents.$inferSelect>;

export const ListStudyEventsInput = z.strictObject({ studyId: studyIdInput, ...PageInput.shape });
export type ListStudyEventsInput = Readonly<z.input<typeof ListStudyEventsInput>>;

const fields = defineFilterFields({ changeNumber: numberField(hyperparameterStudyEvents.changeNumber) });
const eventList = defineList({
  name: 'training.studyEvents',
  from: hyperparameterStudyEvents,
  columns: getTableColumns(hyperparameterStudyEvents),
  order: defineOrder({
    fields,
    byDefault: [{ field: 'changeNumber', direction: 'desc' }],
    tieBreaker: fields.fields.changeNumber,
  }),
});

/**
 * What befell a study, the last first, by pages; also after it was deleted, and deleted for good. One statement, no lock.
 * Empty where there never was such a study.
 */
export async function listStudyEvents(tx: TenantTx, input: ListStudyEventsInput): Promise<Page<StudyEventRow>> {
  const { studyId: id, ...wanted } = parseInput(ListStudyEventsInput, input);
  const condition = eq(hyperparameterStudyEvents.studyId, id);
  return await readPage(tx, eventList, { ...wanted, within: { condition, of: [id] } });
}
