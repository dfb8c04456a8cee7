"""Best value of Optuna's TPE after 100 trials on the functions of ../README.md, section Samplers, for seeds 0 to 49.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0 numpy==2.4.6
    venv/bin/python optuna_figures.py

Writes optuna-<version>.json beside this file. The functions and their bounds are those of
../test/evidence/test-functions.ts; a check of their values at one point is written along, so that both sides can be compared.
"""

import json
import math
import platform
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy
import optuna

TRIALS = 100
SEEDS = range(50)


def branin(x):
    b, c, t = 5.1 / (4 * math.pi**2), 5 / math.pi, 1 / (8 * math.pi)
    return (x[1] - b * x[0] ** 2 + c * x[0] - 6) ** 2 + 10 * (1 - t) * math.cos(x[0]) + 10


HARTMANN_ALPHA = [1.0, 1.2, 3.0, 3.2]
HARTMANN_A = [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
]
HARTMANN_P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann6(x):
    return -sum(
        alpha * math.exp(-sum(a[j] * (x[j] - p[j]) ** 2 for j in range(6)))
        for alpha, a, p in zip(HARTMANN_ALPHA, HARTMANN_A, HARTMANN_P)
    )


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


FUNCTIONS = {
    "branin": (branin, [(-5, 10), (0, 15)]),
    "hartmann6": (hartmann6, [(0, 1)] * 6),
    "rosenbrock2": (rosenbrock, [(-5, 10)] * 2),
    "rosenbrock5": (rosenbrock, [(-2.048, 2.048)] * 5),
}

SAMPLERS = {
    "default": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "independent": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False),
    "multivariate": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True),
}


def best_value(job):
    name, sampler, seed = job
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    function, bounds = FUNCTIONS[name]
    study = optuna.create_study(direction="minimize", sampler=SAMPLERS[sampler](seed))

    def objective(trial):
        return function([trial.suggest_float(f"x{i}", low, high) for i, (low, high) in enumerate(bounds)])

    study.optimize(objective, n_trials=TRIALS)
    return study.best_value


def main():
    figures = {
        "python": platform.python_version(),
        "optuna": optuna.__version__,
        "numpy": numpy.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "trials": TRIALS,
        "seeds": [SEEDS.start, SEEDS.stop - 1],
        "functions": {},
    }
    with ProcessPoolExecutor(2) as pool:
        for name, (function, bounds) in FUNCTIONS.items():
            figures["functions"][name] = {
                "bounds": bounds,
                "at_a_quarter": function([low + (high - low) / 4 for low, high in bounds]),
                "best": {
                    sampler: list(pool.map(best_value, [(name, sampler, seed) for seed in SEEDS]))
                    for sampler in SAMPLERS
                },
            }
    path = Path(__file__).with_name(f"optuna-{optuna.__version__}.json")
    path.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
