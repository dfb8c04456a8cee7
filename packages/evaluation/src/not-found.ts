import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const versionNotFound = () => new DomainError('not_found', 'There is no such version of this model.');
export const runNotFound = () => new DomainError('not_found', 'There is no run with this id.');
export const evaluationNotFound = () => new DomainError('not_found', 'There is no evaluation with this id.');
export const comparisonNotFound = () => new DomainError('not_found', 'There is no comparison with this id.');
export const gateNotFound = () => new DomainError('not_found', 'There is no such gate on this stage of the model.');
export const stageWithoutGate = () =>
  new DomainError(
    'not_found',
    'No gate is before this stage: set one by setGate, or move the version by transitionStage.',
  );
export const decisionNotFound = () => new DomainError('not_found', 'There is no gate decision with this id.');
