/**
 * Texts that take a while to make. Those who ask for a text while it is being
 * made get the same one: however many they are, it is made and held once.
 */
export class SharedTexts<Subject> {
  private readonly making = new Map<Subject, Promise<Buffer>>();

  /** @param make makes the text of a subject. */
  constructor(private readonly make: (subject: Subject) => Promise<string>) {}

  /** The text of a subject, as bytes in UTF-8. Rejects with the error of `make`. */
  of(subject: Subject): Promise<Buffer> {
    const made = this.making.get(subject);
    if (made) return made;
    const making = this.made(subject).finally(() => this.making.delete(subject));
    this.making.set(subject, making);
    return making;
  }

  private async made(subject: Subject): Promise<Buffer> {
    return Buffer.from(await this.make(subject));
  }
}
