import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';

/** The worker: a job server may die, and a job then run twice, so it does the same twice without harm. */
@Controller()
export class InvoicesController {
  /** The numbers of the invoices that were sent. */
  readonly sent = new Set<number>();
  /** How many jobs it has run. */
  runs = 0;

  @EventPattern('invoice.send')
  send(@Payload() number: number): void {
    this.runs++;
    this.sent.add(number);
  }
}
