import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const skipped = new Set(['node_modules', 'dist', 'dist-test', '.git', '.turbo', '.mcp-hub']);

/**
 * Relative links of all Markdown files under `root` that lead to no file, or to no heading of one: a line for each.
 * Other addresses are not asked for; what stands in code is no link.
 */
export function findBrokenLinks(root: string): readonly string[] {
  const anchors = new Map<string, ReadonlySet<string>>();
  const anchorsOf = (file: string) => {
    const known = anchors.get(file) ?? readAnchors(readFileSync(file, 'utf8'));
    anchors.set(file, known);
    return known;
  };
  return markdownFiles(root).flatMap((file) =>
    linksOf(readFileSync(file, 'utf8')).flatMap(({ line, target }) => {
      const where = `${relative(root, file)}:${line}: ${target}`;
      const [path = '', anchor] = target.split('#', 2).map(decodeURIComponent);
      const found = path === '' ? file : resolve(path.startsWith('/') ? root : dirname(file), `./${path}`);
      if (relative(root, found).startsWith('..')) return [`${where} leads out of the repository.`];
      if (!existsSync(found)) return [`${where} leads to no file.`];
      if (anchor === undefined || statSync(found).isDirectory() || !found.endsWith('.md')) return [];
      return anchorsOf(found).has(anchor) ? [] : [`${where} leads to no heading.`];
    }),
  );
}

function markdownFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownFiles(path);
    return entry.isFile() && entry.name.endsWith('.md') ? [path] : [];
  });
}

interface Link {
  readonly line: number;
  readonly target: string;
}

/** `[text](target "title")`, images, and `[name]: target`, without those to other places. */
function linksOf(markdown: string): readonly Link[] {
  return withoutCode(markdown)
    .split('\n')
    .flatMap((text, index) =>
      [...text.matchAll(/\]\(<?([^()\s<>]+)>?(?:\s+"[^"]*")?\)|^\s{0,3}\[[^\]]+\]:\s*<?([^\s<>]+)>?/g)].map(
        (match) => ({
          line: index + 1,
          target: match[1] ?? match[2] ?? '',
        }),
      ),
    )
    .filter(({ target }) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target));
}

/** Lines keep their numbers. */
function withoutCode(markdown: string): string {
  return markdown
    .replace(/^( {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ {0,3}\2[`~]*[^\S\n]*$/gm, (block) => block.replace(/[^\n]/g, ''))
    .replace(/(`+)(?!`)[^\n]*?[^`]\1(?!`)/g, '');
}

/** As GitHub makes them: lower case, without punctuation, blanks as hyphens, a number behind what is there already. */
function readAnchors(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const body = markdown.replace(/^( {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ {0,3}\2[`~]*[^\S\n]*$/gm, '');
  for (const [, heading = ''] of body.matchAll(/^ {0,3}#{1,6}[^\S\n]+(.+?)[^\S\n]*#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let copy = 1; anchors.has(anchor); copy += 1) anchor = `${slug}-${copy}`;
    anchors.add(anchor);
  }
  for (const [, id = ''] of body.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}
