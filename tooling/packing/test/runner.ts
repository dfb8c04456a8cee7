import { createTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createUserProject, type UserProject } from '../src/user-project.ts';
import { type Tarballs, typeTools, withoutTypeTools } from './support.ts';

const timeout = 60_000;

/** The packed runner, in an empty project of its own. */
export function testRunner(tarballs: Tarballs): void {
  let project: UserProject;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  const npx = async (...parameters: readonly string[]) =>
    await project.run('npx', ['mcp-hub-migrate', ...parameters], {
      env: { POSTGRES_URL: database.ownerUrl },
      timeoutMs: timeout,
    });

  beforeAll(async () => {
    project = await createUserProject([tarballs.of('@mcp-hub/migrate').path, ...typeTools]);
    database = await createTestDatabase({ migrated: false });
  }, 300_000);
  afterAll(async () => {
    project?.remove();
    await database?.drop();
  });

  it('brings neither a server nor drizzle-kit', () => {
    expect(withoutTypeTools(project.installed).sort()).toEqual([
      'node_modules/@mcp-hub/migrate',
      'node_modules/commander',
      'node_modules/postgres',
    ]);
  });

  it('applies the migrations that came with it, where nothing else is', { timeout }, async () => {
    const dryRun = await npx('migrate', '--dry-run');
    expect(dryRun.stderr).toBe('');
    expect(dryRun.code).toBe(0);
    const run = await npx('migrate');
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(/applied {2}001_initial_schema\.sql[\s\S]*applied {2}005_model_registry\.sql/);
    expect(run.code).toBe(0);
    expect((await npx('migrate')).stdout).toContain('Nothing to apply');
  });

  it('says where a database stands, and holds it against the rules', { timeout }, async () => {
    const status = await npx('status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ entries: expect.any(Array) });
    expect(status.code).toBe(0);
    const verify = await npx('verify');
    expect(verify.stderr).toBe('');
    expect(verify.code).toBe(0);
  });

  it('reads .env of the folder where it is called', { timeout }, async () => {
    project.write('.env.staging', `POSTGRES_URL=${database.ownerUrl}\n`);
    const { code, stdout } = await project.run('npx', ['mcp-hub-migrate', 'status', '--env', 'staging'], {
      timeoutMs: timeout,
    });
    expect(stdout).toContain('005_model_registry.sql');
    expect(code).toBe(0);
  });

  it("takes no notice of the project's own migrations, unless --directory names them", { timeout }, async () => {
    await project.run('mkdir', ['migrations']);
    project.write('migrations/0000_drizzle.sql', 'select 1;');
    expect((await npx('status')).code).toBe(0);
    const named = await npx('status', '--directory', '.');
    expect(named.stderr).toContain('0000_drizzle.sql');
    expect(named.code).toBe(2);
  });

  it.each(['generate', 'check', 'rollback 005', 'release', 'reset', 'up', 'down', 'studio'])(
    'says that %s needs the repository',
    { timeout },
    async (command) => {
      const { code, stderr } = await npx(...command.split(' '));
      expect(stderr).toContain('only a checkout of the repository of MCP Hub ML has');
      expect(code).toBe(2);
    },
  );

  it.each(['maintain', 'tenants list'])('says which functions do what %s does', { timeout }, async (command) => {
    const { code, stderr } = await npx(...command.split(' '));
    expect(stderr).toContain('of @mcp-hub/db-core');
    expect(code).toBe(2);
  });

  it('has declarations without an error', { timeout }, async () => {
    project.write('runner.ts', "export * from '@mcp-hub/migrate';\n");
    const compiled = await project.run(
      'npx',
      ['tsc', '--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', '--target', 'es2023', 'runner.ts'],
      { timeoutMs: timeout },
    );
    expect(compiled.stdout).toBe('');
    expect(compiled.code).toBe(0);
  });

  it('says what to do without POSTGRES_URL', { timeout }, async () => {
    const { code, stderr } = await project.run('npx', ['mcp-hub-migrate', 'status'], { timeoutMs: timeout });
    expect(stderr).toContain('POSTGRES_URL is not set');
    expect(stderr).not.toContain('pnpm');
    expect(code).toBe(2);
  });

  it('is a library, too, for tests of a service', { timeout }, async () => {
    project.write(
      'library.js',
      "import { migrate, packedMigrations } from '@mcp-hub/migrate';\n" +
        'const report = await migrate({ url: process.env.POSTGRES_URL, directory: packedMigrations });\n' +
        'console.log(report.alreadyApplied >= 2);\n',
    );
    const run = await project.run('node', ['library.js'], { env: { POSTGRES_URL: database.ownerUrl } });
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe('true\n');
  });
}
