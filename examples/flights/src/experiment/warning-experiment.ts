import { type Database, withTenant } from '@mcp-hub/db-core';
import {
  type CreateExperimentInput,
  createExperiment,
  type ExperimentDefinition,
  findExperiment,
  getExperiment,
  transitionExperiment,
} from '@mcp-hub/experiments';
import { actor } from '../actor.ts';
import { costs } from '../evaluate/late-from.ts';
import type { WarningVersions } from './warning-model.ts';

export const experimentKey = 'warn-by-recent-delays';

/** What is recorded of a flight when it is known how late it was. */
export const outcomes = {
  right: 'right call',
  cost: 'cost',
  missed: 'missed',
  warned: 'warned',
  falseAlarm: 'false alarm',
} as const;

const metrics: NonNullable<CreateExperimentInput['metrics']> = [
  // Ten percent more right calls are worth the change.
  { key: 'right-calls', role: 'primary', kind: 'proportion', outcome: outcomes.right, minimumEffect: 0.1 },
  // In false alarms; up to a fifth more would be put up with.
  {
    ...{ key: 'cost', role: 'guardrail', kind: 'mean', outcome: outcomes.cost },
    ...{ direction: 'decrease', minimumEffect: 0.2 },
  },
  { key: 'missed', role: 'secondary', kind: 'proportion', outcome: outcomes.missed, direction: 'decrease' },
  {
    ...{ key: 'false-alarms-a-warning', role: 'secondary', kind: 'ratio', direction: 'decrease' },
    ...{ outcome: outcomes.falseAlarm, denominator: outcomes.warned },
  },
];

/** The experiment, made and started where it is not there. Planned for all flights of the month. */
export async function ensureExperiment(
  db: Database,
  tenant: string,
  { control, treatment }: WarningVersions,
): Promise<ExperimentDefinition> {
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      const known = await findExperiment(tx, { key: experimentKey });
      if (known !== undefined) return known;
      const { id: experimentId } = await createExperiment(tx, {
        key: experimentKey,
        hypothesis: `Who knows the recent delays of an airport warns better: a miss costs ${costs.falseNegative} false alarms.`,
        variants: [
          { key: 'timetable', modelVersionId: control.versionId },
          { key: 'recent delays', modelVersionId: treatment.versionId },
        ],
        metrics,
        plannedUnits: control.fitted.heldBack.length,
        minimumUnits: 100,
      });
      await transitionExperiment(tx, { experimentId, status: 'running' });
      return await getExperiment(tx, { experimentId });
    },
    { actor },
  );
}
