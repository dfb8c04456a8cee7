import type { Id } from '@mcp-hub/db-core';
import type { Analysis } from '../analysis/analysis.ts';
import type { AnalysisDefinition } from '../analysis/analysis-definition.ts';
import type { AnalysisInput } from '../analysis/analysis-input.ts';
import type { abAnalysisSnapshots } from './schema.ts';

/** A row of ab_analysis_snapshots, without what it was computed from. */
export type SnapshotSummary = Readonly<
  Omit<typeof abAnalysisSnapshots.$inferSelect, 'tenantId' | 'definition' | 'input'>
>;

/** An analysis with all that it was computed from. */
export interface Snapshot extends SnapshotSummary {
  readonly definition: AnalysisDefinition;
  readonly input: AnalysisInput;
  readonly analysis: Analysis;
}

export type SnapshotId = Id<'AnalysisSnapshot'>;
