import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const modelNotFound = () => new DomainError('not_found', 'There is no model with this name.');
export const versionNotFound = () => new DomainError('not_found', 'There is no such version of this model.');
export const referenceNotFound = () =>
  new DomainError('not_found', 'No version answers to this reference: model, version, alias or stage is missing.');
