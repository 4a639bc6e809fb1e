/**
 * A set of function numbers as bits.
 *
 * A grab asks "which of this worker's functions has a job?": with one bit a
 * function that is an AND of two words for every 32 of them, whoever else is
 * connected and however much is queued.
 */
export class FunctionMask {
  private words = new Int32Array(1);

  add(number: number): void {
    const word = number >>> 5;
    if (word >= this.words.length) this.grow(word + 1);
    this.words[word]! |= 1 << (number & 31);
  }

  delete(number: number): void {
    const word = number >>> 5;
    if (word < this.words.length) this.words[word]! &= ~(1 << (number & 31));
  }

  has(number: number): boolean {
    return ((this.words[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** The first number after `after` that stands in both sets, beginning again at 0; -1 if there is none. */
  nextInBoth(other: FunctionMask, after: number): number {
    const length = Math.min(this.words.length, other.words.length);
    const start = after + 1;
    const firstWord = start >>> 5;
    const above = -1 << (start & 31);
    if (firstWord >= length) return this.scan(other, 0, length);
    const bits = this.words[firstWord]! & other.words[firstWord]!;
    if (bits & above) return numberOf(firstWord, bits & above);
    const later = this.scan(other, firstWord + 1, length);
    if (later >= 0) return later;
    const earlier = this.scan(other, 0, firstWord);
    if (earlier >= 0) return earlier;
    return bits & ~above ? numberOf(firstWord, bits & ~above) : -1;
  }

  /** Every number that stands in both sets. */
  *inBoth(other: FunctionMask): Iterable<number> {
    const length = Math.min(this.words.length, other.words.length);
    for (let word = 0; word < length; word++) {
      for (let bits = this.words[word]! & other.words[word]!; bits; bits &= bits - 1) yield numberOf(word, bits);
    }
  }

  private scan(other: FunctionMask, from: number, to: number): number {
    for (let word = from; word < to; word++) {
      const bits = this.words[word]! & other.words[word]!;
      if (bits) return numberOf(word, bits);
    }
    return -1;
  }

  private grow(words: number): void {
    const grown = new Int32Array(Math.max(words, this.words.length * 2));
    grown.set(this.words);
    this.words = grown;
  }
}

function numberOf(word: number, bits: number): number {
  return word * 32 + (31 - Math.clz32(bits & -bits));
}
