import { textField } from '@mcp-hub/db-core';
import { modelTags, TAG_VALUE_START_LENGTH } from './schema.ts';

/** The value of a tag in a filter: found by index where it is asked for as a whole. */
export const tagValueField = textField(modelTags.value, {
  start: { column: modelTags.valueStart, length: TAG_VALUE_START_LENGTH },
});
