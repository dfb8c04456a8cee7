import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const runNotFound = () => new DomainError('not_found', 'There is no run with this id.');
export const runVersionNotFound = () => new DomainError('not_found', 'There is no model version with this id.');
export const runTagNotFound = () => new DomainError('not_found', 'The run has no tag with this key.');
export const runModelNotFound = () =>
  new DomainError('not_found', 'The run is not linked to this model version in this role.');
export const studyNotFound = () => new DomainError('not_found', 'There is no study with this id or name.');
export const trialNotFound = () => new DomainError('not_found', 'There is no trial with this id or number.');
export const bestTrialNotFound = () =>
  new DomainError('not_found', 'There is no study with this id that has a complete trial and such an objective.');
