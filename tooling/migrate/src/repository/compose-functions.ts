import type { SchemaPackage } from '../packages.ts';
import { parseListingLine } from './listing-object.ts';
import { revertListing } from './revert-listing.ts';

/**
 * What brings the functions of a package that has files already to what its sql/ declares: those that are new or differ,
 * with their grants and comments. One that sql/ no longer makes is not dropped: a file by hand may have made it.
 */
export function composeFunctions(
  pack: SchemaPackage,
  listing: readonly string[],
  declared: readonly string[],
): readonly string[] {
  const wanted = declared.filter((line) => isAbout(pack, line));
  const keys = new Set(wanted.flatMap((line) => functionOf(line) ?? []));
  const present = listing.filter((line) => keys.has(functionOf(line) ?? ''));
  const made = new Set(present.flatMap((line) => (line.startsWith('function ') ? (functionOf(line) ?? []) : [])));
  // A function that is made anew may be executed by everyone until that is taken away.
  const everyone = [...keys].filter((key) => !made.has(key)).map((key) => `grant execute on function ${key} to PUBLIC`);
  return [
    ...revertListing(
      present,
      wanted.filter((line) => !everyone.includes(line)),
      [],
      [],
    ),
    ...everyone
      .filter((line) => !wanted.includes(line))
      .map(
        (line) =>
          `${line.replace('grant execute on function ', 'revoke execute on function public.').replace(/ to PUBLIC$/, ' from public')};`,
      ),
  ];
}

/** `f(a text)` of a line about that function, its grants or its comment. */
function functionOf(line: string): string | undefined {
  const object = parseListingLine(line);
  if (object.kind === 'function') return object.name;
  return /^(?:\w+ on )?function (.*?\))(?: to \S+.*)?$/.exec(
    object.kind === 'grant' || object.kind === 'comment' ? object.name : '',
  )?.[1];
}

function isAbout(pack: SchemaPackage, line: string): boolean {
  const name = /^[^(]+/.exec(functionOf(line) ?? '')?.[0];
  if (name === undefined) return false;
  const plain = name.replaceAll('"', '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\bfunction\\s+(?:public\\.)?"?${plain}"?\\s*\\(`, 'i').test(
    `${pack.beforeSql}\n${pack.afterSql}`,
  );
}
