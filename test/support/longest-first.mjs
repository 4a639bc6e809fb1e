import Sequencer from '@jest/test-sequencer';

/** The test files that took longest, by `npm test -- --json`. They start first, so that none of them runs alone at the end. */
const LONGEST = [
  'e2e/package',
  'storage/pg-storage',
  'e2e/dashboard-million',
  'e2e/web-port',
  'e2e/tracing-foreign',
  'e2e/web/folder',
  'storage/pg-faults',
  'storage/pg/folder',
  'e2e/job-server/folder',
  'storage/log/folder',
  'e2e/moving-in',
  'e2e/gearmand-service',
  'e2e/dashboard/folder',
  'e2e/chaos',
  'e2e/cli-job-server',
  'e2e/transport/folder',
  'e2e/driver/folder',
  'e2e/fleet-chaos',
  'e2e/fleet',
  'e2e/cli/folder',
  'e2e/dashboard-round',
];

const rankOf = ({ path }) => {
  const rank = LONGEST.findIndex((name) => path.replaceAll('\\', '/').includes(`/test/${name}.test`));
  return rank < 0 ? LONGEST.length : rank;
};

/** Jest's order (by the time it remembers, or else by size), with the files of {@link LONGEST} first. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => rankOf(one) - rankOf(other));
  }
}
