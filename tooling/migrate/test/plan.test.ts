import { describe, expect, test } from 'vitest';
import type { HistoryRow } from '../src/history.ts';
import { type MigrationsFolder, toMigrationFile } from '../src/migrations-folder.ts';
import { parseMigrationNumber, planMigrations } from '../src/plan.ts';

const chain = ['001_initial.sql', '003_telemetry.sql', '005_models.sql', '006_runs.sql'];

function folderOf(files: readonly string[], released: readonly string[] = []): MigrationsFolder {
  const read = files.map((file) => toMigrationFile(`/migrations/${file}`, file, `select '${file}';`));
  return {
    path: '/migrations',
    files: read,
    gaps: new Map([
      [2, 'never was'],
      [4, 'never was'],
    ]),
    released: new Map(read.filter((file) => released.includes(file.file)).map((file) => [file.file, file.checksum])),
  };
}

function rowOf(file: string, changes: Partial<HistoryRow> = {}): HistoryRow {
  const rolledBack = changes.rolledBack === true;
  return {
    migrationName: rolledBack ? `${file}_rolled_back` : file,
    file,
    rolledBack,
    executedAt: new Date(0),
    checksum: toMigrationFile('', file, `select '${file}';`).checksum,
    durationMs: 1,
    statementsDone: undefined,
    ...changes,
  };
}

const pending = (...given: Parameters<typeof planMigrations>): readonly string[] =>
  planMigrations(...given).pending.map((status) => status.file);

describe('what a run applies', () => {
  test('is everything on an empty database', () => {
    expect(pending(folderOf(chain), [])).toEqual(chain);
  });

  test('is what the history does not hold', () => {
    expect(pending(folderOf(chain), [rowOf('001_initial.sql'), rowOf('003_telemetry.sql')])).toEqual(chain.slice(2));
  });

  test('ends with --to, both ends belonging to the range', () => {
    expect(pending(folderOf(chain), [], { to: 5 })).toEqual(chain.slice(0, 3));
  });

  test('ends with the last file when --to lies beyond it', () => {
    expect(pending(folderOf(chain), [], { to: 10 })).toEqual(chain);
  });

  test('may begin and end at a number that is a declared gap', () => {
    expect(pending(folderOf(chain), [rowOf('001_initial.sql')], { from: 2, to: 4 })).toEqual(['003_telemetry.sql']);
  });

  test('is refused with --from while something below it is missing, and the message names it', () => {
    expect(() => pending(folderOf(chain), [rowOf('001_initial.sql')], { from: 5 })).toThrow(
      /003_telemetry\.sql.*not applied/,
    );
  });

  test('is nothing with --from when all below and in it is applied', () => {
    expect(
      pending(
        folderOf(chain),
        chain.map((file) => rowOf(file)),
        { from: 5, to: 10 },
      ),
    ).toEqual([]);
  });

  test('does not hold a file that was rolled back', () => {
    const files = [...chain, '007_rollback_runs.sql'];
    const history = [...chain.slice(0, 3).map((file) => rowOf(file)), rowOf('006_runs.sql', { rolledBack: true })];
    expect(pending(folderOf(files), history)).toEqual(['007_rollback_runs.sql']);
  });

  test('begins with an unfinished file, which may be resumed', () => {
    const history = [rowOf('001_initial.sql'), rowOf('003_telemetry.sql', { statementsDone: 2 })];
    expect(pending(folderOf(chain), history)).toEqual(chain.slice(1));
  });

  test('is refused when --from lies above --to', () => {
    expect(() => pending(folderOf(chain), [], { from: 6, to: 5 })).toThrow('above');
  });
});

describe('a history that does not fit is refused', () => {
  const edited = rowOf('003_telemetry.sql', { checksum: 'other' });

  test('when an applied file was edited, and before it is released db:reset is named', () => {
    expect(() => pending(folderOf(chain), [rowOf('001_initial.sql'), edited])).toThrow(
      /003_telemetry\.sql was edited.*db:reset/s,
    );
  });

  test('and after it is released db:generate is named instead', () => {
    const act = (): unknown => pending(folderOf(chain, ['003_telemetry.sql']), [rowOf('001_initial.sql'), edited]);
    expect(act).toThrow(/db:generate/);
    expect(act).not.toThrow(/db:reset/);
  });

  test('when a rolled-back file was edited', () => {
    const history = [
      ...chain.slice(0, 3).map((file) => rowOf(file)),
      rowOf('006_runs.sql', { rolledBack: true, checksum: 'other' }),
    ];
    expect(() => pending(folderOf(chain), history)).toThrow(/006_runs\.sql was edited/);
  });

  test('when an applied file is gone', () => {
    expect(() => pending(folderOf(chain), [...chain.map((file) => rowOf(file)), rowOf('007_more.sql')])).toThrow(
      /007_more\.sql.*does not hold it/,
    );
  });

  test('when a file lies below the last that was applied', () => {
    expect(() => pending(folderOf(chain), [rowOf('001_initial.sql'), rowOf('005_models.sql')])).toThrow(
      /003_telemetry\.sql is not applied, and 005_models\.sql after it is/,
    );
  });

  test('but an unfinished file of which nothing is done may be mended', () => {
    const history = [rowOf('001_initial.sql'), rowOf('003_telemetry.sql', { statementsDone: 0, checksum: 'other' })];
    expect(pending(folderOf(chain), history)).toEqual(chain.slice(1));
  });

  test('and one of which something is done says what to do', () => {
    const history = [rowOf('001_initial.sql'), rowOf('003_telemetry.sql', { statementsDone: 1, checksum: 'other' })];
    expect(() => pending(folderOf(chain), history)).toThrow(/first 1 statements are done/);
  });
});

describe('a number', () => {
  test.each(['005', '5', '005_models', '005_models.sql'])('may be written %s', (text) => {
    expect(parseMigrationNumber(text, '--from')).toBe(5);
  });

  test.each(['', 'abc', '0', '1000', '5.sql', '-5'])('may not be written "%s"', (text) => {
    expect(() => parseMigrationNumber(text, '--from')).toThrow('--from');
  });
});
