import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const versionNotFound = () => new DomainError('not_found', 'There is no such version of this model.');
export const baselineNotFound = () =>
  new DomainError(
    'not_found',
    'There is no such version of this model, or it has no such baseline: make one by createBaseline.',
  );
export const checkNotFound = () => new DomainError('not_found', 'There is no drift check with this id.');
export const fieldNotFound = () =>
  new DomainError('not_found', 'The baseline of this check has no such field: getBaseline names those that it has.');
export const evaluationNotFound = () =>
  new DomainError(
    'not_found',
    'There is no such version of this model, or no such evaluation of it: make one by evaluateBinary.',
  );
export const ruleNotFound = () => new DomainError('not_found', 'There is no alert rule with this id.');
export const alertNotFound = () => new DomainError('not_found', 'There is no alert with this id.');
export const silenceNotFound = () => new DomainError('not_found', 'There is no silence with this id.');
export const inhibitionNotFound = () => new DomainError('not_found', 'There is no inhibition with this id.');
export const channelNotFound = () => new DomainError('not_found', 'There is no alert channel with this id.');
export const deliveryNotFound = () => new DomainError('not_found', 'There is no dead delivery with this id.');
