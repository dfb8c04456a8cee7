import type { AnalysisDefinition } from '../analysis/analysis-definition.ts';
import { numberText } from '../analysis/text.ts';
import { hashOf } from './hash-of.ts';
import type { Snapshot } from './snapshot.ts';

export const snapshotDifferences = ['new_data', 'late_data', 'definition', 'code'] as const;

/** Why two snapshots differ. */
export interface SnapshotDifference {
  readonly because: (typeof snapshotDifferences)[number];
  /** In words and numbers. */
  readonly text: string;
}

type Compared = Pick<Snapshot, 'asOf' | 'inputHash' | 'codeVersion' | 'definition' | 'input'>;

/**
 * Why one snapshot differs from another of the same experiment, by what they have kept. Pure.
 *
 * Late data are told from new ones by the days that had ended by the earlier bound: units are counted by day, outcomes are
 * not. `isEarlierSame` says whether the data as of the earlier bound, read again, still are that input, which tells outcomes that
 * came late, too; undefined where nobody looked.
 */
export function explainDifference(
  from: Compared,
  to: Compared,
  isEarlierSame?: boolean | undefined,
): readonly SnapshotDifference[] {
  const [earlier, later] = from.asOf <= to.asOf ? [from, to] : [to, from];
  const definition = definitionChanges(from.definition, to.definition);
  const late = lateData(earlier, later, { isEarlierSame, isDefinitionSame: definition.length === 0 });
  const found: SnapshotDifference[] = [];
  if (earlier.asOf < later.asOf && earlier.inputHash !== later.inputHash) found.push(newData(earlier, later));
  if (late !== undefined) found.push({ because: 'late_data', text: late });
  if (definition.length > 0) {
    const revisions = `${from.definition.revision} to ${to.definition.revision}`;
    found.push({
      because: 'definition',
      text: `Of the definition, revision ${revisions}, changed: ${definition.join(', ')}.`,
    });
  }
  if (from.codeVersion !== to.codeVersion) {
    found.push({
      because: 'code',
      text: `The analysis was of version ${from.codeVersion} and is of ${to.codeVersion}.`,
    });
  }
  return found;
}

function newData({ input: before, asOf }: Compared, { input: after, asOf: until }: Compared): SnapshotDifference {
  const more = (count: (input: Compared['input']) => number) =>
    `${numberText(count(before))} to ${numberText(count(after))}`;
  const text = `From ${asOf.toISOString()} to ${until.toISOString()}: units ${more(({ units }) => units)}, outcomes ${more(({ outcomes }) => outcomes)}.`;
  return { because: 'new_data', text };
}

function lateData(
  earlier: Compared,
  later: Compared,
  {
    isEarlierSame,
    isDefinitionSame,
  }: { readonly isEarlierSame: boolean | undefined; readonly isDefinitionSame: boolean },
): string | undefined {
  const bound = earlier.asOf.toISOString();
  const days = changedDays(earlier, later);
  if (days.length > 0) return `Units of days that had ended by ${bound} are others now: ${days.join(', ')}.`;
  if (isEarlierSame === false) return `The data before ${bound} are others now than when they were read.`;
  const sameBound = earlier.asOf.getTime() === later.asOf.getTime();
  if (sameBound && isDefinitionSame && earlier.inputHash !== later.inputHash) {
    return `Both were read as of ${bound}, and the data were others.`;
  }
  return undefined;
}

/** Days that lie wholly before the earlier bound and have other units in the later snapshot. */
function changedDays(earlier: Compared, later: Compared): readonly string[] {
  const bound = earlier.asOf.getTime();
  const sameBound = later.asOf.getTime() === bound;
  const rowsOf = ({ input }: Compared) => {
    const days = new Map<string, unknown[]>();
    for (const row of input.daily) days.set(row.day, [...(days.get(row.day) ?? []), row]);
    return days;
  };
  const [before, after] = [rowsOf(earlier), rowsOf(later)];
  const ended = [...new Set([...before.keys(), ...after.keys()])].filter(
    (day) => sameBound || Date.parse(`${day}T00:00:00Z`) + 86_400_000 <= bound,
  );
  return ended.filter((day) => hashOf(before.get(day) ?? []) !== hashOf(after.get(day) ?? [])).sort();
}

/** The names of what differs; metrics, variants and allocations by their keys and epochs. */
function definitionChanges(from: AnalysisDefinition, to: AnalysisDefinition): readonly string[] {
  const plain = (['test', 'alpha', 'correction', 'plannedUnits', 'minimumUnits'] as const).filter(
    (name) => from[name] !== to[name],
  );
  return [
    ...plain,
    ...changedItems(from.variants, to.variants, ({ key }) => `variant ${key}`),
    ...changedItems(from.metrics, to.metrics, ({ key }) => `metric ${key}`),
    ...changedItems(from.allocations, to.allocations, ({ epoch }) => `allocation ${epoch}`),
  ];
}

function changedItems<Item>(from: readonly Item[], to: readonly Item[], nameOf: (item: Item) => string) {
  const hashes = (items: readonly Item[]) => new Map(items.map((item) => [nameOf(item), hashOf(item)]));
  const [before, after] = [hashes(from), hashes(to)];
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
}
