import type { PredictionLedger } from '../ledger/ledgers.ts';
import type { Prediction } from '../ledger/prediction.ts';

export type ColumnKind = 'text' | 'number' | 'time' | 'json';

/** A column of an export: the same name, place and kind in each format. */
export interface ExportColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly isRequired: boolean;
  readonly valueOf: (prediction: Prediction) => unknown;
}

const column = (name: string, kind: ColumnKind, valueOf: ExportColumn['valueOf']): ExportColumn => ({
  name,
  kind,
  isRequired: false,
  valueOf,
});
const required = (name: string, kind: ColumnKind, valueOf: ExportColumn['valueOf']): ExportColumn => ({
  ...column(name, kind, valueOf),
  isRequired: true,
});

/** Features bear a prefix, so that one of the name score is not taken for the score. */
const FEATURE = 'feature_';

/** The columns of a version's predictions, in their order. */
export function exportColumns(
  ledger: PredictionLedger,
  { withOutput, withTruth }: { readonly withOutput: boolean; readonly withTruth: boolean },
): readonly ExportColumn[] {
  const featureColumns = (names: readonly string[], kind: ColumnKind) =>
    names.map((name) => column(FEATURE + name, kind, (row) => ownFeature(row, name)));
  return [
    required('id', 'text', (row) => row.id),
    required('predicted_at', 'time', (row) => row.predictedAt),
    required('model', 'text', () => ledger.name),
    required('version', 'text', () => ledger.version),
    required('version_id', 'text', (row) => row.versionId),
    required('subject', 'text', (row) => row.subject),
    column('label', 'text', (row) => row.label),
    column('score', 'number', (row) => row.score),
    column('latency_ms', 'number', (row) => row.latencyMs),
    required('source', 'text', (row) => row.source),
    column('batch_job_id', 'text', (row) => row.batchJobId),
    column('run_id', 'text', (row) => row.runId),
    column('experiment', 'text', (row) => row.experiment),
    column('variant', 'text', (row) => row.variant),
    ...(withTruth
      ? [
          column('true_label', 'text', (row) => row.truth?.label ?? null),
          column('true_value', 'number', (row) => row.truth?.value ?? null),
          column('observed_at', 'time', (row) => row.truth?.observedAt ?? null),
        ]
      : []),
    ...(withOutput ? [column('output', 'json', (row) => row.output)] : []),
    ...featureColumns(ledger.numberFeatures, 'number'),
    ...featureColumns(ledger.categoryFeatures, 'text'),
  ];
}

/** A missing feature may be named as what each object inherits, such as constructor. */
const ownFeature = ({ features }: Prediction, name: string) => (Object.hasOwn(features, name) ? features[name] : null);

/** Writes rows in one format. */
export interface RowEncoder {
  /** Bytes that are ready; some rows may wait for more of their group. */
  write(rows: readonly Prediction[]): Uint8Array | undefined;
  /** What is left, and what ends the file. */
  end(): Uint8Array | undefined;
}
