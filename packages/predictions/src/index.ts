export { type FeatureValue, PredictionInput } from './ledger/prediction-input.ts';
export * from './ledger/record-predictions.ts';
export * from './limits.ts';
export * from './schema.ts';
