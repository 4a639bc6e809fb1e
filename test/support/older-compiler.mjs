/*
 * Compiles projects of an app with the last compiler before the native one, as `tsc -p` would, in one process:
 * `node older-compiler.mjs <folder of @types> <project>...`, run in the app's folder. Of the packages only our own types
 * are checked: those of Nest and Node are their makers' concern, and would be most of the work.
 */
import ts from 'typescript';

const [typeRoot, ...projects] = process.argv.slice(2);
const host = {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
    throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
  },
};

/** Whether a file belongs to the app, or to the package under test. */
function isOurs({ fileName }) {
  return !fileName.includes('/node_modules/') || fileName.includes('/node_modules/nestjs-gearman/');
}

/** The language's own declarations, which are the same for all projects. */
const language = new Map();

/** Makes a compiler's host read them only once. */
function sharing(compilerHost) {
  const { getSourceFile } = compilerHost;
  compilerHost.getSourceFile = (name, ...how) => {
    if (!/\/typescript\/lib\/lib\.[^/]*d\.ts$/.test(name)) return getSourceFile(name, ...how);
    if (!language.has(name)) language.set(name, getSourceFile(name, ...how));
    return language.get(name);
  };
  return compilerHost;
}

function compile(project) {
  const { options, fileNames, errors } = ts.getParsedCommandLineOfConfigFile(project, { typeRoots: [typeRoot] }, host);
  const program = ts.createProgram(fileNames, options, sharing(ts.createCompilerHost(options)));
  const found = [...errors, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  for (const file of program.getSourceFiles().filter(isOurs)) {
    found.push(...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file));
    // One by one, because to emit all files at once the compiler checks all of them.
    if (!file.isDeclarationFile) found.push(...program.emit(file).diagnostics);
  }
  if (found.length === 0) return;
  const format = {
    getCurrentDirectory: ts.sys.getCurrentDirectory,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  };
  process.stderr.write(`${project}:\n${ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(found), format)}`);
  process.exitCode = 2;
}

for (const project of projects) compile(project);
