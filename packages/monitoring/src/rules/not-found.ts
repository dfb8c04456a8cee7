import { DomainError } from '@mcp-hub/db-core';

// One text each, so that what another tenant has and what nobody has cannot be told apart.

export const ruleNotFound = () => new DomainError('not_found', 'There is no alert rule with this id.');
export const alertNotFound = () => new DomainError('not_found', 'There is no alert with this id.');
export const silenceNotFound = () => new DomainError('not_found', 'There is no silence with this id.');
export const inhibitionNotFound = () => new DomainError('not_found', 'There is no inhibition with this id.');
export const channelNotFound = () => new DomainError('not_found', 'There is no alert channel with this id.');
export const deliveryNotFound = () => new DomainError('not_found', 'There is no dead delivery with this id.');
