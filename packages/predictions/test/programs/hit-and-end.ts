import { connect } from '@mcp-hub/db-core';
import { withCache } from '../../src/index.ts';

// Asks for an output that is there and ends, without a flush and without closing its pool's timer.

const { SERVICE_URL = '', TENANT = '', VERSION_ID = '' } = process.env;

const db = await connect({ url: SERVICE_URL, max: 1 });
const { output } = await withCache(db, TENANT, { versionId: VERSION_ID, input: 1, compute: () => 'computed' });
await db.close();
console.log(output);
