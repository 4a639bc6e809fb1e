import { describe, expect, it } from '@jest/globals';
import { until } from '../../../lib/testing/until.js';

describe('until', () => {
  it('resolves to what the condition returned when it was met', async () => {
    const answers = [undefined, 0, '', 'there'];
    await expect(until('it is there', () => answers.shift())).resolves.toBe('there');
    expect(answers).toEqual([]);
  });

  it('waits for conditions that take their time', async () => {
    let asked = 0;
    await until('it was asked three times', async () => ++asked === 3);
    expect(asked).toBe(3);
  });

  it('fails naming what it waited for', async () => {
    await expect(until('the moon is full', () => false, { within: 1 })).rejects.toThrow(
      'waited 1 ms in vain until the moon is full',
    );
  });

  it("fails with the condition's own error", async () => {
    const condition = (): never => {
      throw new Error('broken');
    };
    await expect(until('it works', condition)).rejects.toThrow('broken');
  });
});
