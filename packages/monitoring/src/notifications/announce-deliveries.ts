import { scheduleWork, type TenantTx } from '@mcp-hub/db-core';

/** Of the work rows that say: this channel has something to be told. Their key is the channel's id. */
export const DELIVERY_KIND = 'monitoring.deliver';

/** Asks for the deliveries of these channels, each once. */
export async function announceDeliveries(
  tx: TenantTx,
  deliveries: readonly { readonly channelId: string }[],
): Promise<void> {
  const channels = [...new Set(deliveries.map(({ channelId }) => channelId))].sort();
  await Promise.all(channels.map((workKey) => scheduleWork(tx, { kind: DELIVERY_KIND, workKey })));
}
