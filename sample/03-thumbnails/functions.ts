import { defineFunction } from 'nestjs-gearman';

/** An image goes in; out come its thumbnails, one for each of {@link WIDTHS}, in that order. Bytes both ways. */
export const makeThumbnails = defineFunction<Buffer, Buffer>('make_thumbnails', { format: 'raw' });

/** In pixels. */
export const WIDTHS = [64, 200, 800];
