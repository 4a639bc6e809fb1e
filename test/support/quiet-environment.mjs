import { TestEnvironment } from 'jest-environment-node';

/**
 * Node's environment, but what a test file makes the process print (Nest's logger,
 * warnings of failures that a test provokes) is held, and printed only if one of its
 * tests fails, because it may then tell why.
 */
export default class QuietEnvironment extends TestEnvironment {
  #printed = [];
  #hasFailed = false;

  async setup() {
    await super.setup();
    const { stdout, stderr } = this.global.process;
    for (const stream of [stdout, stderr]) {
      stream.write = (chunk, encoding, callback) => {
        this.#printed.push(Buffer.from(chunk));
        (typeof encoding === 'function' ? encoding : callback)?.();
        return true;
      };
    }
  }

  handleTestEvent({ name }) {
    if (name === 'test_fn_failure' || name === 'hook_failure' || name === 'error') this.#hasFailed = true;
  }

  async teardown() {
    if (this.#hasFailed && this.#printed.length > 0) {
      process.stderr.write(Buffer.concat([Buffer.from('What its tests printed:\n'), ...this.#printed]));
    }
    await super.teardown();
  }
}
