import {
  BadRequestException,
  Controller,
  Get,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Sse,
  StreamableFile,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { map, type Observable } from 'rxjs';
import { WIDTHS } from './functions.js';
import { ImageStore, type ImageEvent } from './image-store.js';
import { WorkerProcesses } from './worker-processes.js';

/** The HTTP side. It answers an upload at once; the events tell when its thumbnails are ready. */
@Controller()
export class ImagesController {
  constructor(
    private readonly images: ImageStore,
    private readonly workers: WorkerProcesses,
  ) {}

  @Post('images')
  @UseInterceptors(FileInterceptor('image', { limits: { fileSize: 20 * 1024 * 1024 } }))
  async upload(@UploadedFile() file?: { buffer: Buffer }) {
    if (!file) throw new BadRequestException('send the image as the form field "image"');
    const id = await this.images.add(file.buffer);
    return { events: `/images/${id}/events`, thumbnails: WIDTHS.map((width) => `/images/${id}/${width}`) };
  }

  @Sse('images/:id/events')
  events(@Param('id') id: string): Observable<{ data: ImageEvent }> {
    return found(this.images.events(id)).pipe(map((data) => ({ data })));
  }

  @Get('images/:id/:width')
  thumbnail(@Param('id') id: string, @Param('width', ParseIntPipe) width: number): StreamableFile {
    return new StreamableFile(found(this.images.thumbnail(id, width)), { type: 'image/webp' });
  }

  @Get('workers')
  counts(): Record<string, number> {
    return this.workers.counts();
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new NotFoundException();
  return value;
}
