import fc from 'fast-check';
import type { GrabKind, Priority } from '../../../../../lib/job-server/engine/index.js';
import type { Rules } from './reference.js';

export const PEERS = 6;
export const NAMES = ['f', 'g', 'h'] as const;

/** One thing that happens. Numbers beyond what there is count from the beginning again. */
export type Operation =
  | {
      do: 'submit';
      peer: number;
      name: string;
      unique: string;
      workload: string;
      priority: Priority;
      background: boolean;
      delay: number;
    }
  | { do: 'restore'; name: string; unique: string; priority: Priority; delay: number }
  | { do: 'unpark'; nth: number }
  | { do: 'grab'; peer: number; kind: GrabKind }
  | { do: 'sleep' | 'allYours' | 'reset' | 'leave'; peer: number }
  | { do: 'canDo'; peer: number; name: string; timeout: number }
  | { do: 'cantDo'; peer: number; name: string }
  | { do: 'complete' | 'fail' | 'exception' | 'data' | 'warning' | 'progress'; peer: number; nth: number }
  | { do: 'meddle'; peer: number; nth: number; how: 'complete' | 'fail' | 'exception' | 'data' }
  | { do: 'cancel'; nth: number }
  | { do: 'pause' | 'resume' | 'drop'; name: string }
  | { do: 'halt' | 'proceed' }
  | { do: 'pass'; milliseconds: number }
  | { do: 'setClock'; by: number };

const peer = fc.nat(PEERS - 1);
const name = fc.constantFrom(...NAMES);
const nth = fc.nat(20);
const unique = fc.constantFrom('', '', '', 'u', 'v', '-');
const priority = fc.constantFrom<Priority>(0, 1, 1, 2);
const delay = fc.constantFrom(0, 0, 0, 0, 300, 2_000);

const one = <Name extends string>(...names: Name[]): fc.Arbitrary<Name> => fc.constantFrom(...names);

/** Operations, those that matter most the most often. */
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: one('submit'),
      peer,
      name,
      unique,
      workload: fc.constantFrom('x', 'y', ''),
      priority,
      background: fc.boolean(),
      delay,
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({ do: one('grab'), peer, kind: fc.constantFrom<GrabKind>('plain', 'unique', 'all') }),
  },
  { weight: 10, arbitrary: fc.record({ do: one('sleep'), peer }) },
  { weight: 9, arbitrary: fc.record({ do: one('canDo'), peer, name, timeout: fc.constantFrom(0, 0, 5, 3_000) }) },
  { weight: 12, arbitrary: fc.record({ do: one('complete', 'complete', 'fail', 'exception'), peer, nth }) },
  { weight: 4, arbitrary: fc.record({ do: one('data', 'warning', 'progress'), peer, nth }) },
  { weight: 3, arbitrary: fc.record({ do: one('restore'), name, unique, priority, delay }) },
  { weight: 3, arbitrary: fc.record({ do: one('unpark'), nth }) },
  { weight: 4, arbitrary: fc.record({ do: one('leave'), peer }) },
  { weight: 3, arbitrary: fc.record({ do: one('allYours', 'allYours', 'reset'), peer }) },
  { weight: 3, arbitrary: fc.record({ do: one('cantDo'), peer, name }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: one('meddle'), peer, nth, how: one('complete', 'fail', 'exception', 'data') }),
  },
  { weight: 3, arbitrary: fc.record({ do: one('cancel'), nth }) },
  { weight: 3, arbitrary: fc.record({ do: one('pause', 'resume', 'resume', 'drop'), name }) },
  { weight: 1, arbitrary: fc.record({ do: one('halt', 'proceed', 'proceed') }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: one('pass'), milliseconds: fc.constantFrom(1, 100, 500, 1_000, 3_000, 60_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: one('setClock'),
      by: fc.constantFrom(-259_200_000, -3_600_000, -700, 1, 700, 3_600_000),
    }),
  },
);

/** Hundreds of operations. */
export const scripts = fc.array(operation, { minLength: 1, maxLength: 400, size: 'max' });

export const rules: fc.Arbitrary<Rules> = fc.record({
  order: fc.constantFrom('2.0', '2.0', '1.1'),
  jobRetries: fc.constantFrom(0, 0, 1, 3),
  wakeupsPerJob: fc.constantFrom(1, 1, 0, 2),
  maxRunningPerWorker: fc.constantFrom(0, 0, 1, 2),
  wakeTimeout: fc.constant(1_000),
  abandonedTimeout: fc.constant(5_000),
  retry: fc.constantFrom(undefined, { attempts: 2, delay: 0 }, { attempts: 2, delay: 400 }),
});
