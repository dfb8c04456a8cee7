import { MigrateError } from '../errors.ts';
import type { ListingChange } from '../listing-change.ts';
import type { MigrationFile } from '../migrations-folder.ts';
import type { Dependency } from './dependencies.ts';
import { parseListingLine } from './listing-object.ts';

/** A file of the chain with what it makes. */
export interface ReplayedFile {
  readonly file: MigrationFile;
  readonly change: ListingChange;
}

/** The target and what depends on it, latest first. */
export function withDependents(
  replayed: readonly ReplayedFile[],
  target: MigrationFile,
  dependencies: readonly Dependency[],
  allowed: boolean,
): readonly ReplayedFile[] {
  const rolledBack = new Set(replayed.flatMap(({ file }) => file.rollsBack));
  const standing = replayed.filter(({ file }) => !rolledBack.has(file.file) && file.rollsBack.length === 0);
  let chosen = standing.filter(({ file }) => file === target);
  for (;;) {
    const keys = new Set(chosen.flatMap(({ change }) => change.added).map((line) => parseListingLine(line).key));
    const gone = new Set(chosen.flatMap(({ change }) => change.removed).map((line) => parseListingLine(line).key));
    const more = standing.filter(
      (candidate) =>
        !chosen.includes(candidate) &&
        candidate.file.number > target.number &&
        needsAny(candidate, keys, gone, dependencies),
    );
    if (more.length === 0) return chosen.toSorted((a, b) => b.file.number - a.file.number);
    if (!allowed) {
      throw new MigrateError(
        'has_dependents',
        `${more.map(({ file }) => file.file).join(', ')} depend${more.length === 1 ? 's' : ''} on ${target.file} (${describeNeed(more, keys, gone)}). Roll back the later ones first, or all of them with --with-dependents.`,
      );
    }
    chosen = [...chosen, ...more];
  }
}

/** What it made, or brought in the place of what `gone` holds, was changed by the candidate, or the candidate stands on it. */
function needsAny(
  { change }: ReplayedFile,
  keys: ReadonlySet<string>,
  gone: ReadonlySet<string>,
  dependencies: readonly Dependency[],
): boolean {
  const touched = keysOf(change);
  return (
    touched.some((key) => keys.has(key) || gone.has(key)) ||
    dependencies.some(({ from, to }) => touched.includes(from) && keys.has(to))
  );
}

function describeNeed(more: readonly ReplayedFile[], keys: ReadonlySet<string>, gone: ReadonlySet<string>): string {
  const changed = [...new Set(more.flatMap(({ change }) => keysOf(change)))].filter(
    (key) => keys.has(key) || gone.has(key),
  );
  return changed.length === 0 ? 'by what it made' : `changed later: ${changed.sort().slice(0, 5).join(', ')}`;
}

function keysOf(change: ListingChange): readonly string[] {
  return [...new Set([...change.added, ...change.removed].map((line) => parseListingLine(line).key))];
}
