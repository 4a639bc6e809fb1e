import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { mustSucceed } from '../support/run.js';

requireBuild();

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

it.each([
  ['prom-client', ''],
  ['prom-client', OPENMETRICS],
  ['@prometheus-io/client', ''],
  ['@prometheus-io/client', OPENMETRICS],
])('two processes of a cluster are one in a registry of %s: sums, and the greatest of ages (%s)', async (...args) => {
  const { stdout } = await mustSucceed('node', [join(ROOT, 'test/fixtures/cluster/main.mjs'), ...args]);
  const values = Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const [, name, value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(value)]];
    }),
  );
  // In OpenMetrics form @prometheus-io/client doubles `_total` of what it aggregates, its own counters as well.
  const total = 'own_total_total' in values ? '_total_total' : '_total';
  expect(values).toMatchObject({
    [`own${total}`]: 2,
    [`gearman_jobs_submitted${total}{function="f",mode="background"}`]: 3,
    [`gearman_all_jobs_submitted${total}{mode="background"}`]: 3,
    'gearman_jobs_waiting{function="f"}': 3,
    'gearman_oldest_waiting_seconds{function="f"}': 20,
    'gearman_function_paused{function="f"}': 0,
    'gearman_client_created_seconds_count{function="f"}': 3,
    'gearman_client_created_seconds_bucket{function="f",le="+Inf"}': 3,
    'gearman_client_connected{server="embedded"}': 2,
    'gearman_version_info{version="0.1.0"}': 1,
  });
});
