import { columnRules } from './columns.ts';
import { foreignKeyRules } from './foreign-keys.ts';
import { functionRules } from './functions.ts';
import { grantRules } from './grants.ts';
import { historyRules } from './history.ts';
import { keyRules } from './keys.ts';
import { objectRules } from './objects.ts';
import { partitionRules } from './partitions.ts';
import { policyRules } from './policies.ts';
import { probeRules } from './probe.ts';
import { roleRules } from './roles.ts';
import type { Rule } from './rule.ts';
import { serviceRules } from './services.ts';
import { tableRules } from './tables.ts';

/** Every rule of `db:verify`, in the order in which they are reported. */
export const verifyRules: readonly Rule[] = [
  ...tableRules,
  ...columnRules,
  ...policyRules,
  ...keyRules,
  ...foreignKeyRules,
  ...partitionRules,
  ...grantRules,
  ...roleRules,
  ...serviceRules,
  ...objectRules,
  ...functionRules,
  ...historyRules,
  ...probeRules,
];
