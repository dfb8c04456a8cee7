import type { CoMoments } from '@mcp-hub/stats';

/** Two arms that may be compared. */
export interface StratifiedArms {
  readonly control: CoMoments;
  readonly treatment: CoMoments;
}

/**
 * Brings arms whose proportions changed over time together stratum by stratum: with share w of a stratum's units of both
 * arms, mean Σ w mean and variance of the mean Σ w² var / n, given as moments of n units that have both.
 *
 * Within a stratum the proportions stood still, so that a trend moves both arms alike; a sum over all strata would count
 * an early day more in the arm that then had more units. Strata in which an arm has fewer than two units cannot be
 * compared and are left out. Undefined where none is left.
 */
export function stratifyArms(
  control: readonly CoMoments[],
  treatment: readonly CoMoments[],
): StratifiedArms | undefined {
  const kept = control.flatMap((ofControl, at) => {
    const ofTreatment = treatment[at];
    return ofTreatment === undefined || ofControl.n < 2 || ofTreatment.n < 2
      ? []
      : [{ control: ofControl, treatment: ofTreatment }];
  });
  const [only] = kept;
  if (only === undefined) return undefined;
  if (kept.length === 1) return only;
  const total = kept.reduce((sum, stratum) => sum + stratum.control.n + stratum.treatment.n, 0);
  const weights = kept.map((stratum) => (stratum.control.n + stratum.treatment.n) / total);
  return {
    control: together(
      kept.map((stratum) => stratum.control),
      weights,
    ),
    treatment: together(
      kept.map((stratum) => stratum.treatment),
      weights,
    ),
  };
}

function together(strata: readonly CoMoments[], weights: readonly number[]): CoMoments {
  const n = strata.reduce((sum, stratum) => sum + stratum.n, 0);
  const weighted = (of: (stratum: CoMoments) => number) =>
    strata.reduce((sum, stratum, at) => sum + (weights[at] ?? 0) * of(stratum), 0);
  const moment = (of: (stratum: CoMoments) => number) =>
    strata.reduce(
      (sum, stratum, at) => sum + ((weights[at] ?? 0) ** 2 * of(stratum)) / (stratum.n - 1) / stratum.n,
      0,
    ) *
    n *
    (n - 1);
  return {
    n,
    meanX: weighted(({ meanX }) => meanX),
    meanY: weighted(({ meanY }) => meanY),
    m2X: moment(({ m2X }) => m2X),
    m2Y: moment(({ m2Y }) => m2Y),
    cXY: moment(({ cXY }) => cXY),
  };
}
