import { DomainError, type TenantTx } from '@mcp-hub/db-core';
import type { AnalysisInput } from '../analysis/analysis-input.ts';

export interface ReadInputInput {
  readonly experimentId: string;
  readonly asOf: Date;
}

export async function readInput(_tx: TenantTx, _input: ReadInputInput): Promise<AnalysisInput> {
  throw await Promise.resolve(new DomainError('internal', 'Not there yet.'));
}
