#!/usr/bin/env node
import { runCli } from './cli.ts';
import { processStreams } from './output.ts';
import { packedMigrations } from './packed-migrations.ts';

process.exitCode = await runCli(process.argv.slice(2), processStreams, { migrations: packedMigrations });
