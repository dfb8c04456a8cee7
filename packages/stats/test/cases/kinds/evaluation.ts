import {
  averagePrecision,
  bestThresholds,
  brierScore,
  type ConfusionMatrix,
  type Costs,
  calibrationErrors,
  calibrationTable,
  confusionMatrix,
  countReport,
  type Label,
  labelReport,
  logLoss,
  multiclassReport,
  type PrecisionRecall,
  rocAuc,
  thresholdCurve,
  thresholdRow,
  type ZeroDivision,
} from '../../../src/index.ts';
import { plain, shaped } from './plain.ts';

interface Scored {
  readonly y_true: readonly number[];
  readonly y_score: readonly number[];
}
interface ScoreSettings {
  readonly cost_fp?: number;
  readonly cost_fn?: number;
  readonly ece_bins?: number;
}
type ScoreCase = ScoreSettings & { readonly y_true: readonly number[] } & Readonly<Record<string, unknown>>;
interface LabelCase {
  readonly y_true: readonly Label[];
  readonly y_pred: readonly Label[];
  readonly zero_division?: ZeroDivision;
}
interface CalibrationCase {
  readonly y_true: readonly number[];
  readonly p: readonly number[];
  readonly n_bins: number;
}

const averages = ({ precision, recall, f1 }: PrecisionRecall) => ({
  precision: plain(precision),
  recall: plain(recall),
  f1: plain(f1),
});

function labelsOf(matrix: ConfusionMatrix, zeroDivision: ZeroDivision) {
  const report = labelReport(matrix, { zeroDivision });
  const perClass = report.perClass.map(({ label, tp, fp, fn, tn, support, ...rest }) => [
    label,
    { tp, fp, fn, tn, support, ...averages(rest) },
  ]);
  return {
    labels: matrix.labels,
    confusion_rows_true_cols_pred: matrix.cells,
    accuracy: plain(report.accuracy),
    per_class: Object.fromEntries(perClass) as Readonly<Record<string, unknown>>,
    macro: averages(report.macro),
    weighted: averages(report.weighted),
    micro: averages(report.micro),
    balanced_accuracy: plain(report.balancedAccuracy),
    mcc: plain(report.mcc),
    cohen_kappa: plain(report.cohenKappa),
    cohen_kappa_linear: plain(report.cohenKappaLinear),
    cohen_kappa_quadratic: plain(report.cohenKappaQuadratic),
  };
}

function scoresOf({ y_true: labels, y_score: scores }: Scored, settings: ScoreSettings) {
  const costs: Costs = { falsePositive: settings.cost_fp ?? 1, falseNegative: settings.cost_fn ?? 5 };
  const curve = thresholdCurve({ labels, scores });
  const best = bestThresholds(curve, costs);
  const bins = settings.ece_bins ?? 5;
  const rows = Array.from(curve.thresholds, (_, i) => {
    const { recall, falsePositiveRate, ...row } = thresholdRow(curve, i, costs);
    return { ...row, recall, tpr: recall, fpr: falsePositiveRate };
  });
  return {
    roc_auc: plain(rocAuc(curve)),
    average_precision: plain(averagePrecision(curve)),
    curve: rows,
    best:
      best.f1.value === null
        ? null
        : {
            f1: best.f1.value,
            youden: plain(best.youden),
            cost: shaped(best.cost, (found) => ({
              ...found,
              cost_fp: costs.falsePositive,
              cost_fn: costs.falseNegative,
            })),
          },
    brier: plain(brierScore({ labels, probabilities: scores })),
    log_loss: plain(logLoss({ labels, probabilities: scores })),
    calibration: calibrationOf({ y_true: labels, p: scores, n_bins: bins }),
  };
}

function calibrationOf({ y_true: labels, p: probabilities, n_bins: bins }: CalibrationCase) {
  const errors = calibrationErrors(calibrationTable({ labels, probabilities }, { bins }));
  return shaped(errors, ({ expected, rootMeanSquare, maximum }) => ({
    n_bins: bins,
    ece_l1: expected,
    rms_l2: rootMeanSquare,
    mce_max: maximum,
  }));
}

/** Columns of numbers of an input, by name, but for the labels. */
function columnsOf(input: Readonly<Record<string, unknown>>): readonly (readonly [string, readonly number[]])[] {
  return Object.entries(input).flatMap(([name, value]) =>
    Array.isArray(value) && name !== 'y_true' ? [[name, value as readonly number[]] as const] : [],
  );
}

export const evaluationKinds = {
  labels({ y_true: actual, y_pred: predicted, zero_division }: LabelCase) {
    const matrix = confusionMatrix({ actual, predicted });
    const both = { zero_division_0: labelsOf(matrix, 0), zero_division_1: labelsOf(matrix, 1) };
    return zero_division === undefined ? both : labelsOf(matrix, zero_division);
  },

  scores(input: ScoreCase) {
    const columns = columnsOf(input);
    const of = (y_score: readonly number[]) => scoresOf({ y_true: input.y_true, y_score }, input);
    const [only] = columns;
    if (columns.length === 1 && only?.[0] === 'y_score') return of(only[1]);
    return Object.fromEntries(columns.map(([name, scores]) => [name, of(scores)]));
  },

  edge(input: Readonly<Record<string, Scored>>) {
    const settings = {};
    return Object.fromEntries(
      Object.entries(input).map(([name, rows]) => {
        const matrix = confusionMatrix<Label>({ actual: rows.y_true, predicted: [...rows.y_true], labels: [0, 1] });
        const scores = scoresOf(rows, settings);
        return [name, { ...scores, scores, labels: labelsOf(matrix, 0) }];
      }),
    );
  },

  proba(input: Readonly<Record<string, unknown>>) {
    const { y_true: labels, clip_eps: clip } = input;
    if (!Array.isArray(labels)) {
      const errors = Object.entries(input).map(
        ([name, rows]) => [name, calibrationOf(rows as CalibrationCase)] as const,
      );
      // The file names its two results by what they show.
      const [first, second] = errors;
      return { ...Object.fromEntries(errors), two_bins: first?.[1], edge: second?.[1] };
    }
    const named = columnsOf(input);
    const [column] = named;
    if (column !== undefined && column[0].startsWith('p_')) {
      const positive = column[0].slice(2);
      const options = typeof clip === 'number' ? { clip } : {};
      const certain = (label: number) => plain(logLoss({ labels: [label], probabilities: [0] }, options));
      return {
        log_loss: plain(
          logLoss({ labels: labels.map((label) => label === positive), probabilities: column[1] }, options),
        ),
        clipped_wrong: certain(1),
        clipped_right: certain(0),
      };
    }
    return Object.fromEntries(
      named.map(([name, probabilities]) => [name, plain(brierScore({ labels: labels as number[], probabilities }))]),
    );
  },

  'multiclass-scores'({ y_true: actual, y_score: scores }: { y_true: number[]; y_score: number[][] }) {
    const report = multiclassReport({ actual, scores });
    return {
      ap_per_class: report.averagePrecisionPerClass.map(plain),
      ap_macro: plain(report.averagePrecisionMacro),
      auc_ovr_per_class: report.rocAucPerClass.map(plain),
      auc_ovr_macro: plain(report.rocAucMacro),
      auc_ovo_macro: plain(report.rocAucOneVsOne),
      log_loss: plain(report.logLoss),
      brier_sum: plain(report.brier),
      top1_argmax_pred: report.predicted,
    };
  },

  weighted(input: Scored & { y_pred: number[]; sample_weight: number[] }) {
    const { y_true: actual, y_pred: predicted, y_score: scores, sample_weight: weights } = input;
    const curve = thresholdCurve({ labels: actual, scores, weights });
    return {
      labels: labelsOf(confusionMatrix({ actual, predicted, weights }), 0),
      roc_auc: plain(rocAuc(curve)),
      average_precision: plain(averagePrecision(curve)),
    };
  },

  counts(counts: Readonly<Record<'tp' | 'fp' | 'fn' | 'tn', number>>) {
    const { mcc, accuracy, specificity, cohenKappa, ...rest } = countReport(counts);
    return {
      ...averages(rest),
      mcc: plain(mcc),
      accuracy: plain(accuracy),
      specificity: plain(specificity),
      cohen_kappa: plain(cohenKappa),
    };
  },
};
