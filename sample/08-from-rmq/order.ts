/** An order. */
export interface Order {
  readonly item: string;
  readonly pieces: number;
}

/** The price of one piece, in cents. */
export const PRICES: Readonly<Record<string, number>> = { pen: 120, book: 1990 };
