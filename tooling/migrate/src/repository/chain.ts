import { MigrateError } from '../errors.ts';
import {
  formatMigrationNumber,
  type MigrationFile,
  type MigrationsFolder,
  parseMigrationName,
} from '../migrations-folder.ts';
import type { SchemaPackage } from '../packages.ts';
import { readSnapshot } from './journal.ts';
import { emptySnapshot, type Snapshot, tablesOf } from './kit.ts';

/** The part of the chain that stays as it is, and what it holds of each package. */
export interface FrozenChain {
  readonly files: readonly MigrationFile[];
  readonly snapshot: Snapshot;
  /** Which package a table of `snapshot` belongs to. */
  readonly owners: ReadonlyMap<string, string>;
}

/** A place in the chain after the frozen files. */
export type OpenSlot =
  | {
      readonly kind: 'change';
      readonly number: number;
      readonly written: readonly MigrationFile[];
      readonly package: SchemaPackage;
    }
  | { readonly kind: 'kept'; readonly number: number; readonly file: MigrationFile }
  | { readonly kind: 'initial'; readonly number: number; readonly name: string; readonly package: SchemaPackage };

/**
 * Released files are frozen, and so is what stands below a rollback: it was composed from what had been applied.
 * The rest is composed again each time.
 */
export async function readFrozenChain(
  folder: MigrationsFolder,
  packages: readonly SchemaPackage[],
): Promise<FrozenChain> {
  const last = Math.max(0, ...folder.files.filter((file) => isFixed(folder, file)).map(({ number }) => number));
  const files = folder.files.filter(({ number }) => number <= last);
  const owners = new Map<string, string>();
  let snapshot = emptySnapshot;
  for (const file of files) {
    snapshot = await readSnapshot(folder.path, file.name);
    const owner = file.composedFrom ?? file.changes;
    for (const table of Object.keys(tablesOf(snapshot))) {
      if (owner !== undefined && !owners.has(table)) owners.set(table, owner);
    }
  }
  for (const { name, tables } of packages) {
    for (const table of tables) owners.set(table.name, name);
  }
  return { files, snapshot, owners };
}

function isFixed(folder: MigrationsFolder, file: MigrationFile): boolean {
  return folder.released.has(file.file) || file.rollsBack.length > 0;
}

/** Whether the frozen files hold this package's first file, not rolled back. */
export function isIntroduced(files: readonly MigrationFile[], pack: SchemaPackage): boolean {
  const rolledBack = new Set(files.flatMap((file) => file.rollsBack));
  return files.some((file) => file.composedFrom === pack.name && !rolledBack.has(file.file));
}

/** The rollback that took this package's first file back and has no successor. */
export function findRollbackOf(files: readonly MigrationFile[], pack: SchemaPackage): MigrationFile | undefined {
  if (isIntroduced(files, pack)) return undefined;
  const first = files.findLast((file) => file.composedFrom === pack.name);
  return files.find((file) => first !== undefined && file.rollsBack.includes(first.file));
}

/** By number: files written by hand, first files of packages that have none, changes that were written before. */
export function listOpenSlots(
  folder: MigrationsFolder,
  frozen: FrozenChain,
  packages: readonly SchemaPackage[],
): readonly OpenSlot[] {
  const last = frozen.files.at(-1)?.number ?? 0;
  const open = folder.files.filter(({ number }) => number > last);
  const kept: OpenSlot[] = open
    .filter((file) => file.composedFrom === undefined && file.changes === undefined)
    .map((file) => ({ kind: 'kept', number: file.number, file }));
  let next = nextNumber(folder, packages);
  const initial = packages
    .filter((pack) => !isIntroduced(frozen.files, pack))
    .map((pack): OpenSlot => {
      if (findRollbackOf(frozen.files, pack) !== undefined) {
        const written = open.find((file) => file.composedFrom === pack.name);
        const number = written?.number ?? next++;
        const domain = parseMigrationName(pack.migration)?.domain ?? pack.domain;
        return {
          kind: 'initial',
          number,
          name: written?.name ?? `${formatMigrationNumber(number)}_${domain}`,
          package: pack,
        };
      }
      if (pack.number <= last) {
        throw new MigrateError(
          'number_too_low',
          `${pack.migration} of ${pack.name} comes before ${frozen.files.at(-1)?.file ?? ''}, which can no longer change. Give it number ${formatMigrationNumber(next)} or higher in its package.json.`,
        );
      }
      return { kind: 'initial', number: pack.number, name: pack.migration, package: pack };
    });
  const changes = packages.flatMap((pack): OpenSlot[] => {
    const written = open.filter((file) => file.changes === pack.name);
    const [first] = written;
    return first === undefined || !isIntroduced(frozen.files, pack)
      ? []
      : [{ kind: 'change', number: first.number, written, package: pack }];
  });
  const slots = [...kept, ...initial, ...changes].sort((a, b) => a.number - b.number);
  for (const [index, slot] of slots.entries()) {
    if (slots[index + 1]?.number === slot.number) {
      throw new MigrateError(
        'duplicate_number',
        `Two migrations ask for number ${formatMigrationNumber(slot.number)}. Give one of them the next free number.`,
      );
    }
  }
  return slots;
}

/** Above every file, every package's number, written or not, and every number that gaps.json keeps for a package to come. */
export function nextNumber(folder: MigrationsFolder, packages: readonly SchemaPackage[]): number {
  return (
    Math.max(
      0,
      ...folder.files.map(({ number }) => number),
      ...packages.map(({ number }) => number),
      ...folder.gaps.keys(),
    ) + 1
  );
}
