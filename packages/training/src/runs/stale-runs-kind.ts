/** Of the work rows that say: a run's lease ends then, sweep this tenant. */
export const STALE_RUNS_KIND = 'training.staleRuns';
