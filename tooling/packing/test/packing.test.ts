import { describe } from 'vitest';
import { publishedPackages } from '../src/published.ts';
import { testLibraries } from './libraries.ts';
import { testRunner } from './runner.ts';
import { useTarballs } from './support.ts';
import { testTarball } from './tarballs.ts';
import { testTraining } from './training.ts';

// One file, because packing builds: two files at once would write the same dist.
const tarballs = useTarballs();

describe.each(publishedPackages())('the tarball of $name', ({ name }) => testTarball(tarballs, name));
describe('db-core and registry in an empty project', () => testLibraries(tarballs));
describe('training in an empty project', () => testTraining(tarballs));
describe('the runner in an empty project', () => testRunner(tarballs));
