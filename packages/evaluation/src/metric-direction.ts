const lowerIsBetter: ReadonlySet<string> = new Set([
  'brier',
  'log_loss',
  'calibration_error',
  'calibration_error_rms',
  'calibration_error_max',
  'mean_cost',
  'mae',
  'rmse',
  'pinball_loss',
]);

/** Whether more of a metric is better: of losses and errors less is. Of a name that the package does not know, more. */
export const higherIsBetter = (metric: string): boolean => !lowerIsBetter.has(metric);
