import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { type PublishedPackage, root } from './published.ts';

/**
 * Compares what a package exports, read from the declarations in its dist, with `NAME.api.md` beside its package.json; with
 * `write` makes that file where they differ. Entry `.` alone is read: `./schema` is a part of it.
 * @returns whether they differ, or differed.
 */
export function reportApi(pack: PublishedPackage, options: { readonly write: boolean }): boolean {
  const folder = join(root, pack.folder);
  const scratch = mkdtempSync(join(tmpdir(), 'mcp-hub-api-'));
  const silent = { default: { logLevel: ExtractorLogLevel.None } };
  try {
    const config = ExtractorConfig.prepare({
      configObjectFullPath: join(folder, 'api-extractor.json'),
      packageJsonFullPath: join(folder, 'package.json'),
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: join(folder, 'dist/index.d.ts'),
        newlineKind: 'lf',
        compiler: {
          overrideTsconfig: {
            compilerOptions: {
              target: 'es2023',
              module: 'nodenext',
              moduleResolution: 'nodenext',
              strict: true,
              skipLibCheck: true,
              types: ['node'],
            },
            files: [join(folder, 'dist/index.d.ts')],
          },
        },
        apiReport: {
          enabled: true,
          reportFolder: folder,
          reportTempFolder: scratch,
          reportFileName: basename(folder),
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent },
      },
    });
    const result = Extractor.invoke(config, {
      localBuild: false,
      // What it says of its own TypeScript and of the difference, this program says better.
      messageCallback: (message) => {
        if (message.logLevel !== ExtractorLogLevel.Error) message.logLevel = ExtractorLogLevel.None;
      },
    });
    if (result.errorCount > 0) throw new Error(`The declarations of ${pack.name} could not be read.`);
    const report = `${basename(folder)}.api.md`;
    const [made, committed] = [join(scratch, report), join(folder, report)];
    const differs = !existsSync(committed) || anyOrder(committed) !== anyOrder(made);
    if (differs && options.write) copyFileSync(made, committed);
    return differs;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The compiler prints the members of a union in the order in which its threads came to them, which is another each time. */
function anyOrder(file: string): string {
  return readFileSync(file, 'utf8').split(/\s+/).toSorted().join(' ');
}
