import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const runNotFound = () => new DomainError('not_found', 'There is no run with this id.');
export const studyNotFound = () => new DomainError('not_found', 'There is no study with this id or name.');
export const trialNotFound = () => new DomainError('not_found', 'There is no trial with this id or number.');
