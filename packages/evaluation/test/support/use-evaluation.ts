import { connect, withTenant } from '@mcp-hub/db-core';
import { useService } from '@mcp-hub/testing';

/** A migrated database for the tests of one file, entered through the login that services use. */
export const useEvaluation = () => useService({ connect, enter: withTenant });

export type Evaluation = ReturnType<typeof useEvaluation>;
