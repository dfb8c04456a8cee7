export { ExposureInput } from './exposures/exposure-input.ts';
export * from './exposures/record-exposures.ts';
export * from './limits.ts';
export { OutcomeInput } from './outcomes/outcome-input.ts';
export { type RecordedOutcomes, RecordOutcomesInput, recordOutcomes } from './outcomes/record-outcomes.ts';
export * from './schema.ts';
