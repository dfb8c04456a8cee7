export { type CheckOptions, check } from './check.ts';
export type { CheckComparison, CheckProblem, CheckReport } from './check-report.ts';
export { type GenerateOptions, type GenerateReport, generate } from './generate.ts';
export { type ReleaseReport, release } from './release.ts';
export { findRepositoryTarget, runRepositoryCli } from './repository-cli.ts';
export { type RollbackOptions, type RollbackReport, rollback } from './rollback.ts';
