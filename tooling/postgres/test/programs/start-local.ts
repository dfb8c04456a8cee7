import { umask } from 'node:process';
import { startLocalServer } from '@mcp-hub/postgres';

// start-local.ts CHECKOUT [UMASK]: prints the server as JSON and ends.
const [root = '', mask] = process.argv.slice(2);
if (mask !== undefined) umask(Number.parseInt(mask, 8));
process.stdout.write(JSON.stringify(await startLocalServer({ root })));
