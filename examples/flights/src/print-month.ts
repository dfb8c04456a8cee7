import { modelName } from './late-arrival-models.ts';
import { subjectOf } from './predict/month-of-flights.ts';
import type { MonthReport } from './predict/predict-month.ts';
import { WORKERS } from './predict/run-month-job.ts';
import { fixed, print } from './print-line.ts';

/** Prints how the flights of March were predicted, and that the counts add up. */
export function printMonth({ version, online, batch, labels, ledger, counts }: MonthReport): void {
  const { flights, asks, hits, misses, labelled, unlabelled } = counts;
  const titleOf = (title: string, { isNew }: { readonly isNew: boolean }) => (isNew ? title : 'was there');
  print(
    titleOf('predicted', online),
    `${counts.online} flights of March online by ${modelName}/${version}; of ${asks} asks the cache answered ${hits}`,
  );
  const { chunks } = batch.job.progress;
  print(
    titleOf('predicted', batch),
    `${counts.batch} flights in a batch job of ${chunks.total} chunks by ${WORKERS} processes: ${batch.job.status}`,
  );
  for (const { number, attempts, status } of batch.chunks.toSorted((a, b) => a.number - b.number)) {
    if (attempts === 1) continue;
    print(
      'killed',
      `the process at chunk ${number}, by SIGKILL; its lease ended, another took the chunk, and attempt ${attempts} ${status}`,
    );
  }
  const { current, replaced } = labels.history;
  const subject = subjectOf(labels.corrected.flight);
  print(
    titleOf('labelled', labels),
    `${labelled} flights, in two deliveries; the first had ${subject} as ${replaced.at(-1)?.label}, the second mends that to ${current.label}`,
  );
  print('adds up', `${counts.online} online + ${counts.batch} in the job = ${flights} flights`);
  print('', `${labelled} labelled + ${unlabelled} of the last day without = ${flights} flights`);
  print('', `${hits} hits + ${misses} misses = ${asks} asks`);
  const { auc, lower, upper } = ledger.inSql;
  print('AUC', `${fixed(auc)} [${fixed(lower)}, ${fixed(upper)}] of the labelled, in SQL over ledger and labels`);
  print('', `${fixed(ledger.fromArrays)} from arrays of the same rows`);
}
