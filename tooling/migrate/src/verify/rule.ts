import type { Catalog } from './catalog.ts';
import type { HistoryFacts } from './history-facts.ts';
import type { ProbeFinding } from './prober.ts';

/** Something that breaks a rule. Holds names of objects and roles, never a value of a row. */
export interface Finding {
  /** `model_registry`, `model_tags.model_tags_model_fk`, `role app_tenant` */
  readonly object: string;
  /** What is wrong and how to mend it. */
  readonly message: string;
}

/** All that rules look at, read before the first of them runs. */
export interface Facts {
  readonly catalog: Catalog;
  readonly history: HistoryFacts;
  readonly probe: readonly ProbeFinding[];
}

/** One rule that a live database has to keep. */
export interface Rule {
  /** kebab-case and stable: tests, `--json` and documents name it. */
  readonly name: string;
  /** One sentence: what would happen without the rule. */
  readonly protects: string;
  readonly check: (facts: Facts) => readonly Finding[];
}
