import { writeFileSync } from 'node:fs';
import { holds, tablesOf } from '../evidence/finding.ts';
import { operatingCharacteristics } from '../evidence/operating-characteristics.ts';

// Prints the tables and writes them, and their figures, into ../../evidence, where a test holds them. Ends with 1 where a
// figure is not as stated.

const started = performance.now();
const findings = operatingCharacteristics(1);
const tables = tablesOf(findings);
console.log(tables);

const evidence = (name: string) => new URL(`../../evidence/operating-characteristics.${name}`, import.meta.url);
writeFileSync(evidence('json'), `${JSON.stringify(findings, null, 1)}\n`);
writeFileSync(
  evidence('md'),
  `# Operating characteristics

How often the tests of this package err, by simulation. Made by \`npm run evidence -- experiments\`; the same seeds give the
same figures. Behind ± stands one standard error of the simulation. A figure is as stated if it is within three of them.

${tables}
`,
);
const failed = findings.filter((finding) => !holds(finding));
console.error(
  `${findings.length} figures, ${failed.length} not as stated, in ${Math.round((performance.now() - started) / 1_000)} s`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
