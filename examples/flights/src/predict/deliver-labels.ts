import { type Database, withTenant } from '@mcp-hub/db-core';
import { getLabelHistory, type LabelHistory, recordLabels } from '@mcp-hub/predictions';
import { actor } from '../actor.ts';
import { modelName, type ScoredFlight } from '../late-arrival-models.ts';
import { type LateLabel, subjectOf } from './month-of-flights.ts';
import type { OnStep } from './month-step.ts';

/** How late flights were is reported weeks later: for the days before the 24th, and for those before the 31st. */
const firstUntil = Date.UTC(2001, 2, 24);
const secondUntil = Date.UTC(2001, 2, 31);

export interface LabelReport {
  /** Whether this run of the example recorded any. */
  readonly isNew: boolean;
  /** The first report of this flight was wrong. */
  readonly corrected: ScoredFlight;
  readonly history: LabelHistory;
}

/**
 * Records what turned out, in two deliveries after the predictions. The first one has a mistake, which the second one mends.
 * The last day has no label yet. Delivered again, labels change nothing: they are known by when they were observed.
 */
export async function deliverLabels(
  db: Database,
  tenant: string,
  heldBack: readonly ScoredFlight[],
  predictedAt: Date,
  onStep: OnStep,
): Promise<LabelReport> {
  const [corrected] = heldBack;
  if (corrected === undefined) throw new Error('There is no flight in March.');
  const first = heldBack.filter(({ flight }) => flight.departure.getTime() < firstUntil);
  const second = heldBack.filter(({ flight: { departure } }) => {
    return departure.getTime() >= firstUntil && departure.getTime() < secondUntil;
  });
  const deliveries = [
    first.map((flight) => ({ flight, late: flight === corrected ? !flight.late : flight.late })),
    [corrected, ...second].map((flight) => ({ flight, late: flight.late })),
  ];
  let isNew = false;
  for (const [at, delivery] of deliveries.entries()) {
    const observedAt = new Date(predictedAt.getTime() + at + 1);
    const labels = delivery.map(({ flight, late }) => ({
      subject: subjectOf(flight.flight),
      label: labelOf(late),
      observedAt,
    }));
    const counts = await withTenant(db, tenant, (tx) => recordLabels(tx, { name: modelName, labels }), { actor });
    isNew ||= counts.recorded + counts.corrected > 0;
    await onStep('delivered');
  }
  const subject = subjectOf(corrected.flight);
  const history = await withTenant(db, tenant, (tx) => getLabelHistory(tx, { name: modelName, subject }));
  return { isNew, corrected, history };
}

const labelOf = (late: boolean): LateLabel => (late ? 'late' : 'punctual');
