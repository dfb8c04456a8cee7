import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PublishedPackage, publishedPackages, root } from './published.ts';
import { runOrThrow } from './run-command.ts';

export interface Tarball extends PublishedPackage {
  readonly path: string;
}

/**
 * Packs what is published into a folder, by the pnpm that package.json names: it writes versions in the place of
 * `workspace:` and `catalog:`, takes `publishConfig` over and runs each package's `prepack`, which builds it.
 */
export async function packAll(destination: string): Promise<readonly Tarball[]> {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string };
  const tarballs: Tarball[] = [];
  // One after the other: a build of one package writes its dependencies' dist too.
  for (const pack of publishedPackages()) {
    const printed = await runOrThrow(
      'npx',
      ['--yes', packageManager, 'pack', '--json', '--pack-destination', destination],
      { cwd: join(root, pack.folder), timeoutMs: 120_000 },
    );
    tarballs.push({ ...pack, path: fileNameIn(printed) });
  }
  return tarballs;
}

/** What `prepack` prints comes before the JSON. */
function fileNameIn(printed: string): string {
  const { filename } = JSON.parse(printed.slice(printed.indexOf('{\n'))) as { filename: string };
  return filename;
}
