import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

  it('read few modules when they are imported, and no driver: it is loaded by connect', { timeout }, async () => {
    project.write('count.js', "import { register } from 'node:module';\nregister('./hooks.js', import.meta.url);\n");
    project.write(
      'hooks.js',
      "import { writeSync } from 'node:fs';\n" +
        'export const load = (url, context, next) => (writeSync(1, `${url}\\n`), next(url, context));\n',
    );
    project.write('import.js', "import '@mcp-hub/registry';\n");
    const { stdout } = await project.run('node', ['--import', './count.js', 'import.js']);
    const modules = stdout.split('\n').flatMap((url) => /node_modules\/(.*)/.exec(url)?.[1] ?? []);
    expect(modules).toEqual(expect.arrayContaining(['@mcp-hub/registry/bundle/index.js']));
    expect(modules.filter((path) => /^(postgres|postgres-array|zod)\/|postgres-js/.test(path))).toEqual([]);
    expect(modules.length).toBeLessThan(100);
  });

  it("are of one mind with the user's zod, though they load a file of their own", { timeout }, async () => {
    const code = `
      import { PageInput, parseInput } from '@mcp-hub/db-core';
      import { GetModelInput } from '@mcp-hub/registry';
      import { z } from 'zod';

      const Request = z.strictObject({ model: GetModelInput, page: PageInput.optional(), note: z.string().max(5) });
      const given: z.input<typeof Request> = { model: { name: 'churn' }, page: { limit: 3 }, note: 'x' };
      const taken: { model: { name: string } } = parseInput(Request, given);
      console.log(taken.model.name);
      console.log(Request.safeParse({ ...given, model: { name: '' } }).error?.issues[0]?.path.join('.'));
      console.log(GetModelInput instanceof z.ZodType, GetModelInput.safeParse(1).error instanceof z.ZodError);
      console.log(Object.keys(z.toJSONSchema(GetModelInput).properties ?? {}).join());
      z.config(z.locales.de());
      console.log(GetModelInput.safeParse({}).error?.issues[0]?.message);
    `;
    await expectLines(project, 'schemas', code, [
      'churn',
      'model.name',
      'true true',
      'name',
      'Ungültige Eingabe: erwartet string, erhalten undefined',
    ]);
  });

  it('come with the licence of the zod that they hold', () => {
    const read = (path: string) => readFileSync(join(project.path, 'node_modules', path), 'utf8');
    expect(read('@mcp-hub/db-core/bundle/zod.LICENSE.txt')).toBe(read('zod/LICENSE'));
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
