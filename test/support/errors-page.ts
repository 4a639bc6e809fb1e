import { GEARMAN_ERRORS, type GearmanErrorCode } from '../../lib/ground/index.js';

const INTRO = `# Errors

Every error of this package that a program may want to handle is a \`GearmanError\`. Its \`code\` never changes. Its \`message\` is
one line for people, and says what to do. It may have fields with data, and a \`cause\`: the error below it. This page is made from
a table in the code, which programs can read as \`GEARMAN_ERRORS[error.code]\`.

\`\`\`ts
import { GearmanError } from 'nestjs-gearman';

function isWorthAnotherTry(error: unknown): boolean {
  const passing = ['GEARMAN_NO_SERVER', 'GEARMAN_CONNECTION_LOST', 'GEARMAN_SERVER_ERROR'];
  return error instanceof GearmanError && passing.includes(error.code);
}
\`\`\`

The message of a value that is not allowed always has the same form: \`OPTION: must be WHAT IS ALLOWED, not WHAT WAS GIVEN\`.

What a handler threw is not a \`GearmanError\` for its caller: it arrives in the form that Nest's other transports give it, see
[Client](client.md). What a job server answers to a foreign client stands in [Semantics](SEMANTICS.md), and the problems of the
HTTP API in [HTTP](http.md).
`;

/** A section has the codes of the table from this one on, up to the next section's. */
const SECTIONS: readonly (readonly [title: string, first: GearmanErrorCode])[] = [
  ['Options and connections', 'GEARMAN_INVALID_OPTION'],
  ['Jobs and handlers', 'GEARMAN_TIMEOUT'],
  ['The job server and its storage', 'GEARMAN_LISTEN_FAILED'],
];

/** docs/errors.md, from the table of codes. */
export function errorsPage(): string {
  const codes = Object.keys(GEARMAN_ERRORS) as GearmanErrorCode[];
  const starts = SECTIONS.map(([, first]) => codes.indexOf(first));
  const sections = SECTIONS.map(([title], index) => {
    const entries = codes.slice(starts[index], starts[index + 1]).map(entry);
    return `## ${title}\n\n${entries.join('\n')}`;
  });
  return [INTRO, ...sections].join('\n');
}

function entry(code: GearmanErrorCode): string {
  const { thrownAs, what, cure } = GEARMAN_ERRORS[code];
  return `### ${code}\n\n${what}\n\n- Cure: ${cure}\n- Class: ${classes(thrownAs)}\n`;
}

function classes(names: string): string {
  return names
    .split(', ')
    .map((name) => `\`${name}\``)
    .join(', ');
}
