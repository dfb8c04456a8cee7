import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const experimentNotFound = () => new DomainError('not_found', 'There is no experiment with this key or id.');
export const versionNotFound = () =>
  new DomainError('not_found', 'A variant names a model version that does not exist, or is deleted.', {
    details: { field: 'variants' },
  });
export const layerNotFound = () => new DomainError('not_found', 'There is no layer with this key.');
export const holdoutNotFound = () => new DomainError('not_found', 'There is no holdout with this key.');
export const snapshotNotFound = () => new DomainError('not_found', 'There is no snapshot with this id.');
export const assignmentNotFound = () => new DomainError('not_found', 'This unit is not assigned in the experiment.');
export const variantNotFound = () =>
  new DomainError('not_found', 'The experiment has no variant with this key.', { details: { field: 'variantKey' } });
