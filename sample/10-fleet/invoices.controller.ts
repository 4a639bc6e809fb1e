import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';

/** The worker. If a job server dies, a job may run twice, so doing a job twice does no harm here. */
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
