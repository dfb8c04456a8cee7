export * from './aliases.ts';
export * from './legal-moves.ts';
export * from './limits.ts';
export * from './models.ts';
export * from './register-version.ts';
export * from './resolve-model.ts';
export * from './rollback-promotion.ts';
export * from './schema.ts';
export {
  IssueStageClearanceInput,
  issueStageClearance,
  RemoveStageGuardInput,
  removeStageGuard,
  SetStageGuardInput,
  setStageGuard,
} from './stage-guards.ts';
export type { StageMove } from './stage-moves.ts';
export * from './tags.ts';
export * from './transition-stage.ts';
export { findVersion, GetVersionInput, getVersion, type ModelVersion, type ModelVersionRow } from './versions.ts';
