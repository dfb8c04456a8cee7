import { startTestServer } from '@mcp-hub/postgres';

// start-test-server.ts [end]: prints the server as JSON; then waits to be killed, or ends without stopping it.
const server = await startTestServer({ kind: 'embedded' });
process.stdout.write(`${JSON.stringify(server)}\n`);
if (process.argv[2] === 'end') process.exit(0);
// The test that runs this holds the other end: killed, it leaves nothing running.
process.stdin.on('end', () => process.exit(0)).resume();
