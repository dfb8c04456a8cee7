import { createHash } from 'node:crypto';
import { type Id, timeOfId, toId } from '@mcp-hub/db-core';

/**
 * The ids of a job's predictions: the same for the same row however often it is predicted, so that no row can have two.
 *
 * 48 bits of the job's own id, which are its time, 32 of the row's number (hence `jobRows` of the limits), 42 of the hash of the job's id, which keep two
 * jobs of one millisecond apart. In the order of rows, which is where the index takes them fastest.
 */
export function predictionIdsOf(jobId: string): (row: number) => Id<'Prediction'> {
  const time = timeOfId(jobId).getTime().toString(16).padStart(12, '0');
  const hash = createHash('sha256').update(jobId.toLowerCase()).digest('hex');
  const rest = BigInt(`0x${hash.slice(0, 12)}`) & ((1n << 42n) - 1n);
  return (row) => {
    const high = Math.floor(row / 2 ** 20)
      .toString(16)
      .padStart(3, '0');
    // The variant is 10 in binary, before the other 20 bits of the number.
    const low = ((0b10n << 62n) | (BigInt(row % 2 ** 20) << 42n) | rest).toString(16);
    return toId(`${time.slice(0, 8)}-${time.slice(8)}-7${high}-${low.slice(0, 4)}-${low.slice(4)}`, 'id');
  };
}
