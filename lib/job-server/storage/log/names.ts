/** A function's name. */
export class Name {
  /** The last record that says what its number stands for. */
  record = -1;

  constructor(
    readonly id: number,
    readonly text: string,
  ) {}
}

/** Short numbers for the names of functions, the same in every segment of the log. */
export class Names {
  private readonly byText = new Map<string, Name>();
  private readonly byId: (Name | undefined)[] = [];

  name(text: string): Name {
    let name = this.byText.get(text);
    if (!name) {
      name = new Name(this.byId.length, text);
      this.byText.set(text, name);
      this.byId.push(name);
    }
    return name;
  }

  find(text: string): Name | undefined {
    return this.byText.get(text);
  }

  byNumber(id: number): Name | undefined {
    return this.byId[id];
  }

  /** A segment says what a number stands for. */
  declared(id: number, text: string): Name {
    const known = this.byId[id];
    if (known) return known;
    const name = new Name(id, text);
    while (this.byId.length < id) this.byId.push(undefined);
    this.byId[id] = name;
    this.byText.set(text, name);
    return name;
  }
}
