import { GEARMAN_ERRORS, type GearmanErrorCode } from '../../lib/ground/index.js';

const INTRO = `# Errors

Every error of this package that a program may want to tell apart is a \`GearmanError\`: \`code\` is stable, \`message\` is
one line for people and says the cure, data stands in fields, and \`cause\` is what was below it. This page is made from
the table that the code has, which programs can read as \`GEARMAN_ERRORS[error.code]\`.

\`\`\`ts
import { GearmanError } from 'nestjs-gearman';

function isWorthAnotherTry(error: unknown): boolean {
  const passing = ['GEARMAN_NO_SERVER', 'GEARMAN_CONNECTION_LOST', 'GEARMAN_SERVER_ERROR'];
  return error instanceof GearmanError && passing.includes(error.code);
}
\`\`\`

A refused option always reads the same: \`OPTION: must be WHAT IS ALLOWED, not WHAT WAS GIVEN\`. What a handler threw is no
\`GearmanError\` for its caller: it arrives as Nest's other transports tell it, see [Client](client.md). What a job server
answers to a foreign client is in [Semantics](SEMANTICS.md), problems of the HTTP API in [HTTP](http.md).
`;

/** A section has the codes from this one on, as they stand in the table, to the next section's. */
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
