import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { withLockFile } from '../../src/lock-file.ts';

// take-lock.ts PATH ROUNDS: takes the lock again and again, and leaves it each time as a holder that has died does.
// Prints how often it was not alone in it.
const [path = '', rounds = '0'] = process.argv.slice(2);
const dead = String(spawnSync('true').pid);
let together = 0;
for (let round = 0; round < Number(rounds); round++) {
  await withLockFile(path, async () => {
    try {
      closeSync(openSync(`${path}.inside`, 'wx'));
    } catch {
      together += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
    rmSync(`${path}.inside`, { force: true });
    writeFileSync(path, dead);
  });
}
process.stdout.write(JSON.stringify({ together }));
