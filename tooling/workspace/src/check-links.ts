import { fileURLToPath } from 'node:url';
import { findBrokenLinks } from './find-broken-links.ts';

// `pnpm check:links`
const findings = findBrokenLinks(fileURLToPath(new URL('../../..', import.meta.url)));
for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exitCode = 1;
