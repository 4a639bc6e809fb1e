import { describe, expect, it } from '@jest/globals';
import { counterLength } from '../../../../lib/job-server/engine/index.js';

describe("a handle's counter", () => {
  it.each([
    ['H:web1:482133779026151', '1'],
    ['H:web1:48213377902615100', '100'],
    ['H:web1:482133779026159007199254740991', '9007199254740991'],
    ['XYZ:482133779026157', '7'],
    ['48213377902615', '48213377902615'],
    ['H:web1:mwvpvrq8mjb:42', '42'],
    ['H:web1:mwvpvrq8mjb:99999999999999', '99999999999999'],
    ['H:web1:17', '17'],
    ['H:web1:', ''],
    ['not-ours', ''],
    ['', ''],
  ])('of %j is %j', (handle, counter) => {
    expect(handle.slice(handle.length - counterLength(handle))).toBe(counter);
  });
});
