export interface Case {
  readonly name: string;
  /** What is aimed at, as a multiple of the reference's median. */
  readonly aim?: string;
  readonly run: () => Promise<unknown>;
}

export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  /** Median beside the median of the first case. */
  readonly ratio: number;
  readonly aim: string;
}

/**
 * Times cases by turns, one call of each a round, so that what else the machine does falls on all of them alike. The
 * first is the reference.
 */
export async function measure(
  cases: readonly Case[],
  options: { readonly rounds: number; readonly warmUp: number },
): Promise<readonly Measured[]> {
  const times = cases.map(() => new Float64Array(options.rounds));
  for (let round = -options.warmUp; round < options.rounds; round += 1) {
    for (const [index, { run }] of cases.entries()) {
      const start = performance.now();
      await run();
      const samples = times[index];
      if (round >= 0 && samples !== undefined) samples[round] = performance.now() - start;
    }
  }
  const sorted = times.map((samples) => samples.sort());
  const at = (samples: Float64Array | undefined, share: number) =>
    samples?.[Math.floor((samples.length - 1) * share)] ?? Number.NaN;
  const reference = at(sorted[0], 0.5);
  return cases.map(({ name, aim }, index) => {
    const medianMs = at(sorted[index], 0.5);
    return { name, medianMs, p95Ms: at(sorted[index], 0.95), ratio: medianMs / reference, aim: aim ?? '' };
  });
}
