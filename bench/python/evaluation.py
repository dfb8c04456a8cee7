"""The metrics and curves of evaluateBinary by scikit-learn, of the rows in a file: scores as float64, then labels as bytes.

For each line of its input that names a way it computes them, and answers with a line of JSON: the milliseconds that took,
and the numbers.
"""

import json
import sys
import time

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    auc,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

path, rows = sys.argv[1], int(sys.argv[2])
scores = np.fromfile(path, dtype="<f8", count=rows)
labels = np.fromfile(path, dtype="u1", offset=8 * rows, count=rows)


def best(values, thresholds):
    """The best value and the thresholds that reach it."""
    most = np.max(values)
    return float(most), thresholds[values >= most - 1e-12 * max(1.0, abs(most))]


def analysis(tp, fp, thresholds):
    """What a threshold does, at each score, at the best ones and at a thousand quantiles."""
    positives, negatives = tp[-1], fp[-1]
    precision = tp / (tp + fp)
    recall = tp / positives
    f1 = 2 * tp / (tp + fp + positives)
    cost = fp + (positives - tp)
    kept = np.searchsorted(tp + fp, np.linspace(0, len(labels), 1001)[1:])
    return {
        "f1": best(f1, thresholds),
        "youden": best(recall - fp / negatives, thresholds),
        "cost": best(-cost, thresholds),
        "rows": np.column_stack([column[kept] for column in (thresholds, tp, fp, precision, recall, f1, cost)]),
    }


def of_counts(tp, fp, fn, tn):
    """Metrics at one threshold."""
    n = tp + fp + fn + tn
    excess = tp * tn - fp * fn
    return {
        "accuracy": (tp + tn) / n,
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "specificity": tn / (tn + fp),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "mcc": excess / np.sqrt(float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        "cohen_kappa": 2 * excess / ((tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)),
    }


def probabilities():
    """Losses and calibration."""
    rate, predicted = calibration_curve(labels, scores, n_bins=10)
    edges = np.linspace(0, 1, 11)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores, side="right"), minlength=10)
    gaps = np.abs(rate - predicted)
    share = counts[counts > 0] / len(labels)
    return {
        "brier": brier_score_loss(labels, scores),
        "log_loss": log_loss(labels, scores),
        "calibration_error": float(np.sum(share * gaps)),
    }


def by_functions():
    """As the documentation has it: a function for each."""
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    precision_recall_curve(labels, scores)
    area = roc_auc_score(labels, scores)
    step_sum = average_precision_score(labels, scores)
    (tn, fp), (fn, tp) = confusion_matrix(labels, scores >= 0.5).tolist()
    positives = int(np.sum(labels))
    found = analysis(tpr[1:] * positives, fpr[1:] * (len(labels) - positives), thresholds[1:])
    return {"roc_auc": area, "average_precision": step_sum, **of_counts(tp, fp, fn, tn), **probabilities()}, found


def by_one_curve():
    """As one who wants it fast has it: all of ranks from one curve."""
    positives = int(np.sum(labels))
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    area = auc(fpr, tpr)
    all_tp, all_fp = np.rint(tpr[1:] * positives), np.rint(fpr[1:] * (len(labels) - positives))
    step_sum = np.sum(np.diff(tpr) * (all_tp / (all_tp + all_fp)))
    at = np.count_nonzero(thresholds[1:] >= 0.5) - 1
    tp, fp = int(all_tp[at]), int(all_fp[at])
    counts = of_counts(tp, fp, positives - tp, len(labels) - positives - fp)
    found = analysis(all_tp, all_fp, thresholds[1:])
    return {"roc_auc": area, "average_precision": step_sum, **counts, **probabilities()}, found


ways = {"functions": by_functions, "curve": by_one_curve}
for line in sys.stdin:
    start = time.perf_counter()
    numbers, _ = ways[line.strip()]()
    milliseconds = (time.perf_counter() - start) * 1000
    answer = {"milliseconds": milliseconds, "numbers": {name: float(value) for name, value in numbers.items()}}
    print(json.dumps(answer), flush=True)
