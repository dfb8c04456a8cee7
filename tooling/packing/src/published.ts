import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A package that users install. */
export interface PublishedPackage {
  readonly name: string;
  /** From the root of the repository. */
  readonly folder: string;
}

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every workspace package that is not private: those of packages/, and the runner. */
export function publishedPackages(): readonly PublishedPackage[] {
  return ['packages', 'tooling'].flatMap((parent) =>
    readdirSync(join(root, parent)).flatMap((entry) => {
      const folder = `${parent}/${entry}`;
      const manifest = readManifest(join(root, folder, 'package.json'));
      return manifest === undefined || manifest.private === true ? [] : [{ name: manifest.name, folder }];
    }),
  );
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
}

function readManifest(path: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
