/**
 * Where our job server knowingly answers otherwise than C gearmand 1.1.20, and
 * why. Scenes refer to these by `! id`; docs/SEMANTICS.md lists each of them.
 * A difference that is not here is a failing test.
 */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  'background-stays': 'gearmand drops a background job when a foreground client of the same unique leaves',
  'cancel-forgets':
    'a cancelled waiting job is gone at once; gearmand counts it until a worker comes, and cancels it twice',
  'cancel-leaves-running':
    'gearmand tells the client of a cancelled running job WORK_FAIL, and its WORK_COMPLETE later; ours lets it end',
  'client-cancels': 'a client takes its job back with WORK_FAIL; gearmand 1.1.20 knows it only from workers',
  'drop-keeps-jobs': 'gearmand drops a function with all its waiting jobs, and tells nobody',
  'epoch-is-a-number': 'gearmand takes an epoch that is no number for the past, and runs the job now',
  'function-name-limit': 'a name has 1,000 bytes at most: a job server keeps it for good; gearmand takes any',
  'http-ends': 'an HTTP request ends the connection; gearmand obeys the admin words and packets in its body',
  'future-job-wakes-nobody': 'gearmand wakes a worker when the job is submitted, and nobody when its time has come',
  'late-result':
    'a worker whose time ran out has the job again by going on with it while it waits; gearmand throws its work away',
  'leaver-is-not-woken':
    'a worker that gives a function up is not woken for its jobs; gearmand wakes it in vain for the one it gave back',
  'long-handle': 'a handle too long for any job is an unknown one',
  'maxqueue-two-sizes': 'PROTOCOL knows one size or three; gearmand accepts two and does what it likes',
  'missing-argument':
    'gearmand takes the following packet for the missing argument: it stalls or closes; ours answers an error and goes on',
  'name-before-newline': "gearmand cuts a function's last letter where the line ends without a carriage return",
  'names-forge-no-line':
    'a control character in a name, and a blank between names, is shown escaped; gearmand shows it as it is',
  'name-ends-at-nul': 'gearmand keeps the NUL in the name, and nobody ever finds the function',
  'no-nul-behind-handle': 'PROTOCOL has no NUL behind the only argument',
  'one-worker-per-connection': 'gearmand counts one connection as two workers when it says CAN_DO twice',
  'progress-is-text': 'what the worker said, up to a NUL; gearmand makes 32-bit numbers of it for GET_STATUS',
  'pushed-assignment': 'ours understands ALL_YOURS',
  'reduce-unique-limit': 'a unique has 64 bytes at most, whatever the submission; gearmand forgets it here',
  'reduce-with-four': 'PROTOCOL gives SUBMIT_REDUCE_JOB four arguments; gearmand waits for a fifth',
  'rotation-start': 'round-robin begins with the function registered first; gearmand begins with the last',
  scheduled: 'ours understands SUBMIT_JOB_SCHED',
  'sleeps-again-is-woken-again':
    'PRE_SLEEP asks for a NOOP, also after one that was not followed by a grab; gearmand then lets the worker sleep on beside a new job',
  'timeout-is-a-number': 'gearmand takes a timeout that is no number for none',
  'unique-of-two-functions': 'PROTOCOL does not say which job is meant: ours the older, gearmand the younger',
  'wakes-on-can-do': 'nobody sleeps while a job waits that it can do; gearmand leaves it to the next one who asks',
};
