import { afterAll, beforeAll, expect, it } from 'vitest';
import { createUserProject, type UserProject } from '../src/user-project.ts';
import { expectLines, readmeLines, type Tarballs, typeTools, withoutTypeTools } from './support.ts';

const ours = ['db-core', 'registry', 'stats', 'training'].map((name) => `@mcp-hub/${name}`);

/** Training and what it needs, packed, in an empty project. */
export function testTraining(tarballs: Tarballs): void {
  let project: UserProject;

  beforeAll(async () => {
    project = await createUserProject([...ours.map((name) => tarballs.of(name).path), ...typeTools]);
  }, 300_000);
  afterAll(() => project?.remove());

  it('comes with the packages that it needs, and their few dependencies', () => {
    expect(withoutTypeTools(project.installed).sort()).toEqual([
      ...ours.map((name) => `node_modules/${name}`),
      'node_modules/drizzle-orm',
      'node_modules/postgres',
      'node_modules/postgres-array',
      'node_modules/zod',
    ]);
  });

  it("runs the lines of its README, compiled by the user's tsc, under plain Node", { timeout: 120_000 }, async () => {
    await expectLines(project, 'training-readme', readmeLines('packages/training/README.md'), [
      'succeeded 0.1 0.6 0.5',
      'succeeded worker-1',
      'model_linked worker-1',
      'started null',
      'created null',
      'true',
    ]);
  });
}
