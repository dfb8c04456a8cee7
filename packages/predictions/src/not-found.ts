import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const versionNotFound = () => new DomainError('not_found', 'There is no such version of this model.');
export const modelNotFound = () => new DomainError('not_found', 'There is no model with this name or id.');
export const predictionNotFound = () => new DomainError('not_found', 'There is no prediction with this id.');
export const ledgerNotFound = () =>
  new DomainError('not_found', 'There is no such version of this model, or none of its predictions was recorded.');
export const jobNotFound = () => new DomainError('not_found', 'There is no batch job with this id.');
export const chunkNotFound = () =>
  new DomainError('not_found', 'There is no chunk with this number in this batch job.');
export const labelNotFound = () => new DomainError('not_found', 'There is no label of this subject of the model.');
