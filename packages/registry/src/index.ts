export * from './aliases.ts';
export * from './delete-model.ts';
export { DeleteVersionInput, deleteVersion, RestoreVersionInput, restoreVersion } from './delete-version.ts';
export * from './diff-model.ts';
export {
  type AliasMoveRow,
  ListAliasMovesInput,
  ListModelChangesInput,
  ListStageTransitionsInput,
  listAliasMoves,
  listModelChanges,
  listStageTransitions,
  type ModelChange,
  type ModelSubject,
  type StageTransition,
} from './history.ts';
export * from './holders.ts';
export { legalMoves } from './legal-moves.ts';
export * from './limits.ts';
export {
  CreateModelInput,
  createModel,
  findModel,
  GetModelInput,
  getModel,
  type Model,
} from './models.ts';
export * from './register-version.ts';
export * from './rename-model.ts';
export * from './resolve-model.ts';
export * from './rollback-promotion.ts';
export * from './schema.ts';
export * from './search-models.ts';
export * from './search-versions.ts';
export {
  IssueStageClearanceInput,
  issueStageClearance,
  RemoveStageGuardInput,
  RevokeStageClearancesInput,
  removeStageGuard,
  revokeStageClearances,
  SetStageGuardInput,
  setStageGuard,
} from './stage-guards.ts';
export type { StageMove } from './stage-moves.ts';
export {
  RemoveModelTagInput,
  RemoveVersionTagInput,
  removeModelTag,
  removeVersionTag,
  SetModelTagInput,
  SetVersionTagInput,
  setModelTag,
  setVersionTag,
} from './tags.ts';
export * from './transition-stage.ts';
export * from './update-model.ts';
export * from './update-version.ts';
export * from './version-subject.ts';
export { findVersion, GetVersionInput, getVersion, type ModelVersion, type ModelVersionRow } from './versions.ts';
