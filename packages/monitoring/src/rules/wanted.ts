import type { AlertLabels } from './schema.ts';
import type { ConditionSource } from './sources.ts';
import type { Window } from './window.ts';

/** A source in a window, to be read once for all rules that want it. */
export interface Wanted<Source extends ConditionSource = ConditionSource> {
  /** Its place in the list that is read. */
  readonly key: number;
  readonly of: Source;
  readonly window: Window;
}

/** The number of one series; null: the series is known and has no data in the window. */
export interface Reading {
  readonly key: number;
  readonly labels: AlertLabels;
  readonly value: number | null;
}

export type SourceOf<Name extends ConditionSource['source']> = Extract<ConditionSource, { source: Name }>;
