export { FakeGearmanClient, type FakeGearmanClientOptions } from './fake-gearman-client.js';
export type { FakeAnswer, FakeJob, FakeJobReports } from './fake-job.js';
export { GearmanTestingModule, type GearmanTestingModuleOptions } from './gearman-testing.module.js';
export { TestJobServer, type JobOutcome, type TestJobServerOptions } from './test-job-server.js';
export { until, type UntilOptions } from './until.js';
