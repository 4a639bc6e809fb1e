import { Controller } from '@nestjs/common';
import { Ctx, Payload, RpcException } from '@nestjs/microservices';
import { GearmanContext, GearmanFunction } from 'nestjs-gearman';
import { concatMap, from, type Observable } from 'rxjs';
import sharp from 'sharp';
import { makeThumbnails, WIDTHS } from './functions.js';

/** The worker: sends each thumbnail as soon as it is made, and reports its progress. */
@Controller()
export class ThumbnailsController {
  @GearmanFunction(makeThumbnails)
  make(@Payload() image: Buffer, @Ctx() context: GearmanContext): Observable<Buffer> {
    return from(WIDTHS).pipe(
      concatMap(async (width, index) => {
        const thumbnail = await shrink(image, width);
        context.progress(index + 1, WIDTHS.length);
        return thumbnail;
      }),
    );
  }
}

async function shrink(image: Buffer, width: number): Promise<Buffer> {
  try {
    return await sharp(image).resize({ width }).webp().toBuffer();
  } catch (error) {
    throw new RpcException(`no thumbnail: ${(error as Error).message}`);
  }
}
