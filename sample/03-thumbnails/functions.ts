import { defineFunction } from 'nestjs-gearman';

/** Makes the thumbnails of an image, one for each of {@link WIDTHS}, in that order. Bytes both ways. */
export const makeThumbnails = defineFunction<Buffer, Buffer>('make_thumbnails', { format: 'raw' });

/** The widths, in pixels. */
export const WIDTHS = [64, 200, 800];
