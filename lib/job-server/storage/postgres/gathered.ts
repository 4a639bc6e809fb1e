/** A question, and who asked it. */
interface Asked<Item, Answer> {
  readonly item: Item;
  answer(answer: Answer): void;
  refuse(error: unknown): void;
}

/**
 * Questions that come while others are under way are asked together next: so
 * many that are asked at once cost a few round trips, and a single one waits for
 * nobody.
 */
export class Gathered<Item, Answer> {
  private waiting: Asked<Item, Answer>[] = [];
  private isAsking = false;

  /**
   * @param ask answers all of them, in their order.
   * @param most so many are asked together at most.
   */
  constructor(
    private readonly ask: (items: readonly Item[]) => Promise<readonly Answer[]>,
    private readonly most: number,
  ) {}

  /** Asks one. */
  of(item: Item): Promise<Answer> {
    return new Promise((answer, refuse) => {
      this.waiting.push({ item, answer, refuse });
      if (this.isAsking) return;
      this.isAsking = true;
      // In a microtask, so that the others of this turn come along.
      queueMicrotask(() => void this.askAll());
    });
  }

  private async askAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.most);
      try {
        const answers = await this.ask(batch.map(({ item }) => item));
        for (const [index, { answer }] of batch.entries()) answer(answers[index] as Answer);
      } catch (error) {
        for (const { refuse } of batch) refuse(error);
      }
    }
    this.isAsking = false;
  }
}
