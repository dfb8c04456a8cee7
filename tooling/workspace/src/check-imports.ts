import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly name: string;
  readonly mcpHub?: { readonly migration?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

// Tests of any package may use it; it depends on no package that has a schema.
const testing = '@mcp-hub/testing';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const findings = checkImports(
  readManifests(),
  JSON.parse(readFileSync(new URL('../import-directions.json', import.meta.url), 'utf8')) as Directions,
);
for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exitCode = 1;

type Directions = Readonly<Record<string, readonly string[]>>;

function readManifests(): ReadonlyMap<string, Manifest> {
  const folders = ['packages', 'tooling', 'examples'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
  );
  const manifests = [...folders, 'bench']
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => [folder, JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))] as const);
  return new Map<string, Manifest>(manifests);
}

/**
 * Holds what each workspace package depends on against import-directions.json, and the migration numbers of packages
 * against each other: a package imports only packages of lower numbers. That what is imported is also declared is
 * knip's to say, and cycles between files are oxlint's.
 */
function checkImports(manifests: ReadonlyMap<string, Manifest>, directions: Directions): readonly string[] {
  const folderOf = new Map([...manifests].map(([folder, { name }]) => [name, folder]));
  const numberOf = (folder: string) => manifests.get(folder)?.mcpHub?.migration?.slice(0, 3);
  const found: string[] = [];
  for (const [folder, manifest] of manifests) {
    const allowed = directions[folder];
    if (allowed === undefined) {
      found.push(`${folder} stands in no line of tooling/workspace/import-directions.json: say what it may import.`);
      continue;
    }
    const all = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies };
    for (const name of Object.keys(all)) {
      const target = folderOf.get(name);
      if (target === undefined || (name === testing && name in (manifest.devDependencies ?? {}))) continue;
      if (!allowed.includes(target)) found.push(`${folder} may not depend on ${target}.`);
      const [own, other] = [numberOf(folder), numberOf(target)];
      if (own !== undefined && other !== undefined && other >= own) {
        found.push(
          `${folder} (${own}) may only depend on packages of lower migration numbers, not on ${target} (${other}).`,
        );
      }
    }
  }
  return found;
}
