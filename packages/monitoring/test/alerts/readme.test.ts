import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect, type Database, type TenantTx, withTenant } from '@mcp-hub/db-core';
import { promisedCosts, runReadme, useFunctionCosts, useTestDatabase } from '@mcp-hub/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MONITORING_LIMITS } from '../../src/index.ts';
import {
  type AlertWorld,
  alertFunctions,
  alertInputsIn,
  at,
  callAlertFunction,
  makeAlertWorld,
} from '../support/alert-functions.ts';

const database = useTestDatabase();
const folder = new URL('../..', import.meta.url);
const text = readFileSync(new URL('README.md', folder), 'utf8');

// Of a file the first block is run. That on rules goes on with what the README's first block begins with.
const begin = `
import { connect, withTenant } from '@mcp-hub/db-core';
const db = await connect({ url: process.env['POSTGRES_SERVICE_URL'] ?? '' });
const tenant = \`acme-\${Date.now()}\`;
`;
const [, block = ''] = /```ts\n([\s\S]*?)```/.exec(text.slice(text.indexOf('\n## Rules\n'))) ?? [];
const made = mkdtempSync(join(tmpdir(), 'alerts-'));
const readme = pathToFileURL(join(made, 'README.md'));
beforeAll(() => writeFileSync(readme, `\`\`\`ts\n${begin}${block}await db.close();\n\`\`\`\n`));
afterAll(() => rmSync(made, { recursive: true }));

it("the README's lines on alerts compile, run and print what it says", async () => {
  const environment = { POSTGRES_SERVICE_URL: database.serviceUrl };
  expect(await runReadme({ readme, folder, environment })).toEqual({
    ...{ typeErrors: '', exitCode: 0, errors: '' },
    lines: [
      ...['2 4 7', '1 undefined undefined undefined', '2 checkout pending 320', '3 checkout pending 320'],
      ...['4 checkout firing 350', '5 checkout firing 350', '6 checkout acknowledged 350', '7 checkout resolved 140'],
      ...['8 checkout resolved 140', 'opened fired firing acknowledged resolved resolved'],
    ],
  });
});

it('names every limit of alerts', () => {
  const names = Object.keys(MONITORING_LIMITS);
  const own = Object.entries(MONITORING_LIMITS).filter(
    ([name]) => names.indexOf(name) >= names.indexOf('commentLength'),
  );
  expect(own.length).toBeGreaterThan(20);
  for (const [name, limit] of own) expect([name, text.includes(limit.toLocaleString('en-US'))]).toEqual([name, true]);
});

const costs = useFunctionCosts<Database, TenantTx>({
  connect,
  enter: (db, tenant, work) => withTenant(db, tenant, work, { now: at, actor: 'ada' }),
  lockable: {
    rule: ['alert_rule_clocks'],
    silence: ['alert_silences'],
    channel: ['alert_channels'],
    delivery: ['alert_deliveries'],
  },
});
const promised = promisedCosts(text, ['rule', 'silence', 'channel', 'delivery']);

it('has every function of alerts that takes a transaction', () => {
  expect(alertFunctions.filter((name) => !promised.has(name))).toEqual([]);
});

it.each(alertFunctions)('says truly what %s costs', async (name) => {
  const call = (tx: TenantTx, world: AlertWorld) => callAlertFunction(tx, name, alertInputsIn(world)[name]);
  const { trips, locks } = await costs.costOf(makeAlertWorld, call);
  const { locks: said = [], trips: numbers = [] } = promised.get(name) ?? {};
  expect({ name, trips, in: numbers }).toEqual({ name, trips, in: expect.arrayContaining([trips]) });
  for (const lock of locks) expect(said).toContain(lock);
});
