import { Injectable } from '@nestjs/common';

/** The finished files. In memory because this is a sample; think of a disk that worker and web server share. */
@Injectable()
export class ExportFiles extends Map<string, string> {}
