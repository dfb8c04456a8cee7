export * from './analysis/analyse.ts';
export * from './analysis/analysis.ts';
export * from './analysis/analysis-definition.ts';
export * from './analysis/analysis-input.ts';
export { HEALTH_RULES } from './analysis/health.ts';
export * from './decisions/decide.ts';
export * from './decisions/decision.ts';
export * from './limits.ts';
export * from './schema.ts';
