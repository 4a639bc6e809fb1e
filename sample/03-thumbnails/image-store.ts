import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { GearmanClient } from 'nestjs-gearman';
import { ReplaySubject, type Observable } from 'rxjs';
import { makeThumbnails, WIDTHS } from './functions.js';

/** An event of an image. Whoever asks for events gets all of them, from the first on. */
export type ImageEvent = { made: number; of: number } | { failed: string };

interface Image {
  readonly thumbnails: Buffer[];
  readonly events: ReplaySubject<ImageEvent>;
}

/** The client: submits a job for each image, and keeps the results, in memory because this is a sample. */
@Injectable()
export class ImageStore {
  private readonly images = new Map<string, Image>();

  constructor(private readonly gearman: GearmanClient) {}

  /** Resolves to the image's id when a job server has accepted the job; the thumbnails come later. */
  async add(bytes: Buffer): Promise<string> {
    const job = await this.gearman.submit(makeThumbnails, bytes);
    const id = randomUUID();
    const image: Image = { thumbnails: [], events: new ReplaySubject() };
    this.images.set(id, image);
    job.updates$.subscribe((update) => {
      if (update.kind === 'data') image.thumbnails.push(update.value as Buffer);
      if (update.kind === 'progress') image.events.next({ made: update.numerator, of: update.denominator });
    });
    job.result().then(
      (last) => {
        if (last) image.thumbnails.push(last);
        image.events.complete();
      },
      (error: Error) => {
        image.events.next({ failed: error.message });
        image.events.complete();
      },
    );
    return id;
  }

  events(id: string): Observable<ImageEvent> | undefined {
    return this.images.get(id)?.events;
  }

  thumbnail(id: string, width: number): Buffer | undefined {
    return this.images.get(id)?.thumbnails[WIDTHS.indexOf(width)];
  }
}
