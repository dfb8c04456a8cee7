import { reportApi } from './api-report.ts';
import { publishedPackages } from './published.ts';

// `pnpm api`: writes what each package exports into a file that is reviewed with the change; `--check` compares. Reads
// dist: the scripts of package.json build it before.
const check = process.argv.includes('--check');

for (const pack of publishedPackages()) {
  if (!reportApi(pack, { write: !check })) continue;
  if (check) {
    console.error(`${pack.name} exports something else than its .api.md says. Renew it with pnpm api, and review it.`);
    process.exitCode = 1;
  } else {
    console.log(`written  the API report of ${pack.name}`);
  }
}
