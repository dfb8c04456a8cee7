import { afterAll, beforeAll, expect, it } from 'vitest';
import { createUserProject, type UserProject } from '../src/user-project.ts';
import { expectLines, readmeLines, type Tarballs, typeTools, withoutTypeTools } from './support.ts';

const timeout = 120_000;

/** db-core and registry, packed, in an empty project. */
export function testLibraries(tarballs: Tarballs): void {
  let project: UserProject;

  beforeAll(async () => {
    project = await createUserProject([
      tarballs.of('@mcp-hub/db-core').path,
      tarballs.of('@mcp-hub/registry').path,
      ...typeTools,
    ]);
  }, 300_000);
  afterAll(() => project?.remove());

  it('come without any other package of the repository', () => {
    const ours = [...project.installed.keys()].filter((place) => place.includes('@mcp-hub/'));
    expect(ours).toEqual(['node_modules/@mcp-hub/db-core', 'node_modules/@mcp-hub/registry']);
  });

  it('bring nothing but their few dependencies, each once: two copies of drizzle-orm would split its types', () => {
    const others = withoutTypeTools(project.installed).filter((place) => !place.includes('@mcp-hub/'));
    expect(others.sort()).toEqual([
      'node_modules/drizzle-orm',
      'node_modules/postgres',
      'node_modules/postgres-array',
      'node_modules/zod',
    ]);
  });

  it("run the root README's lines, compiled by the user's tsc, under plain Node", { timeout }, async () => {
    await expectLines(project, 'root-readme', readmeLines('README.md'), [
      'true',
      'No version answers to this reference: model, version, alias or stage is missing.',
    ]);
  });

  it("run the lines of registry's README", { timeout }, async () => {
    await expectLines(project, 'registry-readme', readmeLines('packages/registry/README.md'), [
      '2 sha256:2e',
      '1',
      'production -> development bob drift',
      'development -> production ada better on March',
      'null -> development ada null',
      '1',
    ]);
  });

  it('load under a Node that asks for the condition of our sources, which are no part of their exports', {
    timeout,
  }, async () => {
    project.write(
      'load.js',
      "import '@mcp-hub/registry';\nimport '@mcp-hub/registry/schema';\nimport '@mcp-hub/db-core/schema';\n",
    );
    const { code, stderr } = await project.run('node', ['--conditions=@mcp-hub/source', 'load.js']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it.each([
    { settings: 'nodenext', options: { module: 'nodenext' } },
    { settings: 'bundler', options: { module: 'esnext', moduleResolution: 'bundler' } },
    {
      settings: 'the condition of our sources',
      options: { module: 'nodenext', customConditions: ['@mcp-hub/source'] },
    },
  ])('type-check with $settings', { timeout }, async ({ options }) => {
    expect(await typeErrors({ ...options, skipLibCheck: true })).toEqual([]);
  });

  it('have declarations without an error of their own', { timeout }, async () => {
    // drizzle-orm's declarations name drivers that nobody installs all of (gel, mysql2 …), so there are always errors.
    const errors = await typeErrors({ module: 'nodenext', skipLibCheck: false });
    const inLibraries = errors.filter((line) => line.startsWith('node_modules/') && !line.includes('@mcp-hub/'));
    expect(inLibraries.length).toBeGreaterThan(0);
    expect(errors.filter((line) => !inLibraries.includes(line))).toEqual([]);
  });

  /** What the user's tsc prints, a line an error. */
  async function typeErrors(options: object): Promise<readonly string[]> {
    project.write('lines.ts', `${readmeLines('packages/registry/README.md')}\nexport {};\n`);
    project.write(
      'schema.ts',
      "export { modelRegistry } from '@mcp-hub/registry/schema';\nexport { tenants } from '@mcp-hub/db-core/schema';\n",
    );
    project.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          target: 'es2023',
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          verbatimModuleSyntax: true,
          noEmit: true,
          types: ['node'],
          ...options,
        },
        files: ['lines.ts', 'schema.ts'],
      }),
    );
    const { stdout } = await project.run('npx', ['tsc', '-p', '.', '--pretty', 'false'], { timeoutMs: 120_000 });
    return stdout.split('\n').filter((line) => /^\S.*error TS/.test(line));
  }
}
