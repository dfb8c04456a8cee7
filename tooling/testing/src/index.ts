export { allRows, type ReadStatement } from './all-rows.ts';
export { type Barrier, barrier } from './barrier.ts';
export { countFlights, type FlightCounter } from './count-flights.ts';
export { failureOf } from './failure-of.ts';
export { freshTenant } from './fresh-tenant.ts';
export {
  type Costed,
  type FunctionCost,
  type FunctionCosts,
  type PromisedCosts,
  promisedCosts,
  useFunctionCosts,
} from './function-costs.ts';
export { outcomeOf } from './outcome-of.ts';
export { checkReadme, type ReadmeLines, type ReadmeRun, runReadme } from './run-readme.ts';
export { type OwnServer, startOwnServer } from './start-own-server.ts';
export { type Program, startProgram } from './start-program.ts';
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions, useTestDatabase } from './test-database.ts';
export { type Service, type ServiceFunctions, useService } from './use-service.ts';
export { withinMs } from './within-ms.ts';
