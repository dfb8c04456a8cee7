import { createHash } from 'node:crypto';
import { PREDICTION_LIMITS } from '../limits.ts';
import { canonicalJson } from './canonical-json.ts';

/**
 * SHA-256, as lower-case hex, of the canonical JSON of input and parameters. Parameters that were not given are not those
 * that are null.
 *
 * @throws DomainError `invalid_input` as canonicalJson.
 */
export function cacheKey(input: unknown, params: unknown): string {
  const bytesMax = PREDICTION_LIMITS.cacheInputBytes;
  const hash = createHash('sha256');
  // Canonical as a whole: the two members stand in the order of their names.
  hash.update(`{"input":${canonicalJson(input, 'input', bytesMax)}`);
  if (params !== undefined) hash.update(`,"params":${canonicalJson(params, 'params', bytesMax)}`);
  return hash.update('}').digest('hex');
}
