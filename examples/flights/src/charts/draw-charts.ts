import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderSvg } from '@mcp-hub/charts';
import type { NamedCharts } from './evaluation-charts.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** The folder of a tenant's charts, from the repository's root; git ignores it. */
export const chartFolder = (tenant: string) => `.mcp-hub/charts/flights/${tenant}`;

/** Draws charts as SVG files, one by one, in the place of those that are there. The same rows give the same bytes. */
export async function drawCharts(tenant: string, charts: NamedCharts): Promise<void> {
  const folder = join(root, chartFolder(tenant));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, spec] of charts) writeFileSync(join(folder, `${name}.svg`), await renderSvg(spec));
}
