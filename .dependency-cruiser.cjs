/** The rooms, and which others each of them may import (DESIGN.md, section 3). Every import that is not allowed here is forbidden. */
const rooms = {
  // Metrics as others read them.
  'telemetry/forms': [],
  'telemetry/nest': ['telemetry/forms'],
  protocol: [],
  connection: ['protocol'],
  driver: ['protocol', 'connection'],
  transport: ['protocol', 'connection', 'driver'],
  'job-server/engine': [],
  'job-server/storage': ['job-server/engine'],
  'job-server/durable': ['protocol', 'job-server/engine', 'job-server/storage'],
  'job-server/schedules': ['protocol', 'job-server/engine', 'job-server/storage', 'job-server/durable'],
  'job-server/front': ['protocol', 'connection', 'job-server/engine', 'job-server/durable', 'job-server/schedules'],
  'job-server/relay': ['protocol', 'connection', 'job-server/engine', 'job-server/storage', 'job-server/durable'],
  'job-server/metrics': [
    'telemetry/forms',
    'protocol',
    'job-server/engine',
    'job-server/storage',
    'job-server/durable',
    'job-server/schedules',
    'job-server/front',
  ],
  'job-server/operations': [
    'protocol',
    'connection',
    'job-server',
    'job-server/engine',
    'job-server/storage',
    'job-server/durable',
    'job-server/front',
  ],
  'job-server/events': ['protocol', 'job-server/engine', 'job-server/front'],
  'job-server/history': ['protocol', 'job-server/engine'],
  'job-server/nest': [
    'job-server/events',
    'job-server/history',
    'job-server/operations',
    'job-server',
    'protocol',
    'connection',
    'job-server/engine',
    'job-server/storage',
    'job-server/durable',
    'job-server/schedules',
    'job-server/front',
  ],
  web: [
    'telemetry/forms',
    'protocol',
    'connection',
    'driver',
    'job-server',
    'job-server/engine',
    'job-server/durable',
    'job-server/schedules',
    'job-server/front',
    'job-server/events',
    'job-server/history',
    'job-server/operations',
    'job-server/nest',
  ],
  testing: ['job-server', 'job-server/nest', 'transport', 'driver', 'protocol', 'connection'],
  cli: [
    'telemetry/forms',
    'web',
    'job-server',
    'job-server/nest',
    'job-server/storage',
    'job-server/durable',
    'job-server/schedules',
    'job-server/front',
    'transport',
    'driver',
    'protocol',
    'connection',
  ],
};
/** The room `job-server` itself is only the files directly in lib/job-server, which put the others together. */
const inRoom = (room) => (room === 'job-server' ? '^lib/job-server/[^/]+\\.ts$' : `^lib/${room}/`);

/** Rooms that every room may import: errors, option rules, log lines, clocks; metrics; attributes of spans. They import no other room. */
const forAll = ['ground', 'telemetry/metrics', 'telemetry/tracing'];

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `room-${room.replace('/', '-')}`,
  comment: `lib/${room} may import ${allowed.length ? allowed.join(', ') : 'no other room'}`,
  severity: 'error',
  from: { path: inRoom(room) },
  to: { path: '^lib/', pathNot: [room, ...forAll, ...allowed].map(inRoom) },
}));

module.exports = {
  forbidden: [
    ...forAll.map((room) => ({
      name: `room-${room.replace('/', '-')}`,
      comment: `every room may import lib/${room}, so it imports none`,
      severity: 'error',
      from: { path: inRoom(room) },
      to: { path: '^lib/', pathNot: inRoom(room) },
    })),
    ...roomRules,
    {
      name: 'room-job-server',
      comment: 'the composition imports its own rooms, connection and protocol; never transport or driver',
      severity: 'error',
      from: { path: inRoom('job-server') },
      to: { path: '^lib/(transport|driver|web|testing|cli)/|^lib/index\\.ts$' },
    },
    {
      name: 'engine-is-pure',
      comment: 'the engine opens no socket, reads no clock, arms no timer; protocol is bytes only',
      severity: 'error',
      from: { path: '^lib/(job-server/engine|protocol)/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: '^(node:)?buffer$' },
    },
    {
      name: 'nest-stays-at-the-edge',
      comment: 'only transport, job-server/nest, telemetry/nest, web/nest, testing and the command know Nest',
      severity: 'error',
      from: {
        path: '^lib/',
        pathNot:
          '^lib/(transport|job-server/nest|telemetry/nest|web/nest|testing|cli)/|^lib/((job-server|telemetry|web)/)?index\\.ts$',
      },
      to: { path: 'node_modules/(@nestjs|rxjs|reflect-metadata)/' },
    },
    {
      name: 'the-page-is-apart',
      comment: 'lib/web/app runs in browsers: it imports nothing of ours, and nothing imports it',
      severity: 'error',
      from: { path: '^lib/web/app/' },
      to: { path: '^lib/', pathNot: '^lib/web/app/' },
    },
    {
      name: 'nobody-imports-the-page',
      comment: 'the page is bundled, and served as files',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/web/app/' },
      to: { path: '^lib/web/app/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^lib/', pathNot: '\\.d\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
