import type { Finding, Rule } from './rule.ts';

const mostLines = 20;

export const historyRules: readonly Rule[] = [
  {
    name: 'migrations-folder',
    protects: 'A released file that was edited or is gone makes other databases than the ones that exist.',
    check: ({ history }) => history.folderProblems.map(({ message }) => ({ object: 'migrations', message })),
  },
  {
    name: 'history-complete',
    protects:
      'A file that is not applied, or not to its end, leaves the packages with another database than they were written for.',
    check: ({ history }) => {
      if (!history.present) {
        return [{ object: 'migration_history', message: 'does not exist: no migration has run here. Run db:migrate.' }];
      }
      const { statuses, problems } = history.inspection;
      const reported = new Set(problems.map(({ file }) => file));
      return [
        ...problems
          .filter(({ code }) => code !== 'edited_file')
          .map(({ file, message }): Finding => ({ object: file, message })),
        ...statuses
          .filter(({ state, file }) => (state === 'pending' || state === 'unfinished') && !reported.has(file))
          .map(({ file, state }): Finding => ({ object: file, message: `is ${state}. Run db:migrate.` })),
      ];
    },
  },
  {
    name: 'history-checksums',
    protects: 'A file that was edited after it ran says something else than what the database holds.',
    check: ({ history }) => [
      ...history.inspection.problems
        .filter(({ code }) => code === 'edited_file')
        .map(({ file, message }): Finding => ({ object: file, message })),
      ...history.inspection.statuses
        .filter(({ state }) => state === 'by_hand')
        .map(
          ({ file }): Finding => ({
            object: file,
            message:
              'was applied by hand and has no checksum yet. Run db:migrate, which compares the database and fills it in.',
          }),
        ),
    ],
  },
  {
    name: 'schema-listing',
    protects: 'What a hand changed in the database is lost in the next one, and no test has seen it.',
    check: ({ history: { listing } }) => {
      if ('unknown' in listing) return [{ object: 'listing', message: `cannot be compared. ${listing.unknown}` }];
      const lines = [
        ...listing.removed.map((line) => ({ object: line, message: 'is missing in the database.' })),
        ...listing.added.map((line) => ({ object: line, message: 'is in the database and in no migration.' })),
      ];
      const rest = lines.length - mostLines;
      return [
        ...lines.slice(0, mostLines),
        ...(rest > 0
          ? [{ object: 'listing', message: `differs in ${rest} more lines. Run db:check for all of them.` }]
          : []),
      ];
    },
  },
];
