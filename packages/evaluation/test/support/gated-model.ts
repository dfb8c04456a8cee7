import type { TenantTx } from '@mcp-hub/db-core';
import { getVersion, registerVersion, transitionStage } from '@mcp-hub/registry';
import { freshTenant } from '@mcp-hub/testing';
import {
  type Comparison,
  compareVersions,
  evaluateBinary,
  type GateClause,
  type GateOutcome,
  setGate,
} from '../../src/index.ts';
import { dataset, scoredRows } from './rows.ts';
import type { Evaluation } from './use-evaluation.ts';

const { labels, origin, scores: ofGood } = scoredRows(300, 7, 0.9);
export const good = ofGood;
export const { scores: poor } = scoredRows(300, 7, 0.4);
export const candidate = { name: 'm', version: '2', stage: 'production' } as const;
export const gate = { name: 'm', stage: 'production', gate: 'quality' } as const;
export const auc = { kind: 'metric', metric: 'roc_auc', min: 0.8 } as const;

export const evaluate = async (tx: TenantTx, version: string, scores: Float64Array, more = {}) =>
  await evaluateBinary(tx, { name: 'm', version, dataset, labels, scores, slices: { origin }, ...more });

export async function compare(tx: TenantTx, first: Float64Array, second: Float64Array, more = {}): Promise<Comparison> {
  return await compareVersions(tx, {
    ...{
      baseline: { name: 'm', version: '1', outputs: first },
      candidate: { name: 'm', version: '2', outputs: second },
    },
    ...{ labels, dataset, test: 'delong' as const, ...more },
  });
}

export const resultsOf = ({ decisions }: GateOutcome) => decisions.flatMap(({ results }) => results);
export const stageOf = async (tx: TenantTx, version: string) => (await getVersion(tx, { name: 'm', version })).stage;

/** Version 1 is in production, version 2 was evaluated; a gate with these clauses stands before production. */
export const withGateOf =
  (evaluation: Evaluation) =>
  async <Result>(
    clauses: readonly GateClause[],
    work: (tx: TenantTx) => Promise<Result>,
    { scores = good, tenant = freshTenant() } = {},
  ): Promise<Result> =>
    await evaluation.run(
      tenant,
      async (tx) => {
        await registerVersion(tx, { name: 'm' });
        await registerVersion(tx, { name: 'm' });
        await transitionStage(tx, { name: 'm', version: '1', stage: 'production' });
        await evaluate(tx, '2', scores);
        await setGate(tx, { ...gate, policy: { clauses: [...clauses] } });
        return await work(tx);
      },
      { actor: 'author' },
    );
