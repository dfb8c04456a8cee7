import { type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { assignUnits, findAssignment, recordExposures, recordOutcomes } from '@mcp-hub/experiments';
import { labelledPredictions, recordLabels, recordPredictions } from '@mcp-hub/predictions';
import { and, eq, inArray } from 'drizzle-orm';
import { actor } from '../actor.ts';
import { costs } from '../evaluate/late-from.ts';
import type { ScoredFlight } from '../late-arrival-models.ts';
import { featuresOf, type LateLabel, predictFlight, subjectOf } from '../predict/month-of-flights.ts';
import { experimentKey, outcomes } from './warning-experiment.ts';
import { type WarningVersion, type WarningVersions, warningModel } from './warning-model.ts';

/**
 * Serves flights by the version of their variant: assigns them, records predictions, exposures and, when it is known how late
 * they were, outcomes, in one transaction. Flights that were served already are left as they are. Says whether it served.
 */
export async function serveFlights(
  db: Database,
  tenant: string,
  versions: WarningVersions,
  rows: readonly number[],
): Promise<boolean> {
  const flights = rowsOf(versions.control, rows);
  const [first] = flights;
  if (first === undefined) return false;
  return await withTenant(
    db,
    tenant,
    async (tx) => {
      if ((await findAssignment(tx, { key: experimentKey, unit: subjectOf(first.flight) })) !== undefined) return false;
      const units = flights.map(({ flight }) => ({ unit: subjectOf(flight) }));
      const assigned = await assignUnits(tx, { key: experimentKey, units });
      const labels = flights.map(({ flight, late }) => ({ subject: subjectOf(flight), label: labelOf(late) }));
      await recordLabels(tx, { name: warningModel, labels });
      for (const version of [versions.control, versions.treatment]) {
        const variant = variantOf(versions, version);
        const own = new Set(assigned.filter(({ variantKey }) => variantKey === variant).map(({ unit }) => unit));
        const served = rowsOf(version, rows).filter(({ flight }) => own.has(subjectOf(flight)));
        await serveVariant(tx, version, variant, served);
      }
      return true;
    },
    { actor },
  );
}

/** By how much this machine's clock may differ from the server's. */
const hourMs = 3_600_000;

const variantOf = ({ control }: WarningVersions, version: WarningVersion) =>
  version === control ? 'timetable' : 'recent delays';

const rowsOf = ({ fitted }: WarningVersion, rows: readonly number[]) =>
  rows.flatMap((row) => fitted.heldBack[row] ?? []);

const labelOf = (late: boolean): LateLabel => (late ? 'late' : 'punctual');

/** What is exposed and what came of it is read from the ledger, as a service would that did not predict. */
async function serveVariant(
  tx: TenantTx,
  { versionId, fitted }: WarningVersion,
  variant: string,
  flights: readonly ScoredFlight[],
): Promise<void> {
  if (flights.length === 0) return;
  const predictions = flights.map((scored) => {
    const features = featuresOf(fitted.model, scored);
    const { score, label } = predictFlight(fitted.model, features);
    return { subject: subjectOf(scored.flight), features, score, label, experiment: experimentKey, variant };
  });
  await recordPredictions(tx, { versionId, predictions });
  const { rows } = labelledPredictions(tx, {
    versionId,
    from: new Date(Date.now() - hourMs),
    to: new Date(Date.now() + hourMs),
  });
  const subjects = predictions.map(({ subject }) => subject);
  const found = await tx
    .select({ unit: rows.subject, at: rows.predictedAt, label: rows.label, truth: rows.trueLabel })
    .from(rows)
    .where(and(eq(rows.experiment, experimentKey), inArray(rows.subject, subjects)));
  if (found.length !== flights.length) throw new Error('The ledger has not what was predicted.');
  await recordExposures(tx, {
    exposures: found.map(({ unit, at }) => ({ experiment: experimentKey, variant, unit, at })),
  });
  await recordOutcomes(tx, {
    outcomes: found.flatMap(({ unit, label, truth }) =>
      outcomesOf(label, truth).map((outcome) => ({ unit, ...outcome })),
    ),
  });
}

function outcomesOf(label: string | null, truth: string | null) {
  const [warned, late] = [label === 'late', truth === 'late'];
  const names = [
    ...(warned === late ? [outcomes.right] : []),
    ...(warned ? [outcomes.warned] : []),
    ...(warned && !late ? [outcomes.falseAlarm] : []),
    ...(late && !warned ? [outcomes.missed] : []),
  ];
  const cost = warned === late ? 0 : warned ? costs.falsePositive : costs.falseNegative;
  return [
    ...names.map((outcome) => ({ outcome, value: 1 })),
    ...(cost === 0 ? [] : [{ outcome: outcomes.cost, value: cost }]),
  ];
}
