import type { Finding, Rule } from './rule.ts';

const mostObjects = 20;

/** `column model_tags.note` of `column model_tags.note: text`; a grant's line has no more than that. */
const objectsOf = (lines: readonly string[]) => new Set(lines.map((line) => line.split(': ', 1)[0] ?? line));

function describe(isMissing: boolean, isExcess: boolean): string {
  if (!isExcess) return 'is missing in the database. Make it again as its migration does, or db:reset.';
  return isMissing
    ? 'is another than in its migration. db:check shows both; change it back, or write a migration with db:generate.'
    : 'is in the database and in no migration. Drop it, or write a migration with db:generate.';
}

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
      // The object only: a default, a policy or a function's body may hold what somebody wrote by hand.
      const [missing, excess] = [objectsOf(listing.removed), objectsOf(listing.added)];
      const objects = [...new Set([...missing, ...excess])].sort();
      const rest = objects.length - mostObjects;
      return [
        ...objects
          .slice(0, mostObjects)
          .map((object) => ({ object, message: describe(missing.has(object), excess.has(object)) })),
        ...(rest > 0
          ? [{ object: 'listing', message: `${rest} more objects differ. Run db:check for all of them.` }]
          : []),
      ];
    },
  },
];
