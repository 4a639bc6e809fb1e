import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './built.js';

const DIST = join(ROOT, 'dist');

/** The file with each entry point's types, below dist. */
export const ENTRY_POINTS = {
  index: 'index.d.ts',
  'job-server': 'job-server/index.d.ts',
  telemetry: 'telemetry/index.d.ts',
  testing: 'testing/index.d.ts',
  web: 'web/index.d.ts',
} as const;

const HEAD = `What can be imported, as the built package declares it: names in order, without comments and private members.
A change here is a change that users can see. UPDATE_API=1 writes it anew: CONTRIBUTING.md says how.
`;

/** The exports of each entry point of the built package, as text that can be compared. */
export function apiReports(): Map<string, string> {
  const files = Object.entries(ENTRY_POINTS).map(([name, file]) => [name, join(DIST, file)] as const);
  const program = ts.createProgram(
    files.map(([, file]) => file),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      skipLibCheck: true,
      types: ['node'],
    },
  );
  return new Map(files.map(([name, file]) => [name, report(program, file)]));
}

function report(program: ts.Program, file: string): string {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module_ = source && checker.getSymbolAtLocation(source);
  if (!module_) throw new Error(`${file} exports nothing`);
  const exported = checker.getExportsOfModule(module_).sort((a, b) => (a.name < b.name ? -1 : 1));
  return [HEAD, ...exported.map((symbol) => entry(checker, symbol))].join('\n');
}

function entry(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  const original = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const texts = (original.declarations ?? []).map((declaration) => print(statementOf(declaration)));
  return `${symbol.name}\n${texts.join('\n').replaceAll(/^/gm, '  ')}\n`;
}

/** The whole statement of a variable, because `const` stands outside its declaration. */
function statementOf(declaration: ts.Node): ts.Node {
  return ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
}

const printer = ts.createPrinter({ removeComments: true });

function print(node: ts.Node): string {
  const source = node.getSourceFile();
  const { transformed } = ts.transform(node, [settled(source)]);
  return printer.printNode(ts.EmitHint.Unspecified, transformed[0]!, source);
}

/**
 * Removes private members, which are not part of the API, and gives one order and
 * one kind of quotes to types that the compiler has inferred, because it may write
 * them in any.
 */
function settled(source: ts.SourceFile): ts.TransformerFactory<ts.Node> {
  const textOf = (node: ts.Node): string => printer.printNode(ts.EmitHint.Unspecified, node, source);
  const sorted = <Node extends ts.Node>(nodes: readonly Node[]): Node[] =>
    nodes
      .map((node) => ({ node, text: textOf(node) }))
      .sort((a, b) => (a.text < b.text ? -1 : 1))
      .map(({ node }) => node);
  return ({ factory, ...context }) => {
    const visit = (node: ts.Node): ts.Node | undefined => {
      if (ts.isClassElement(node) && ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) return undefined;
      if (ts.isStringLiteral(node)) return factory.createStringLiteral(node.text, true);
      const visited = ts.visitEachChild(node, visit, { factory, ...context });
      if (ts.isUnionTypeNode(visited)) return factory.createUnionTypeNode(sorted(visited.types));
      if (ts.isTypeLiteralNode(visited)) return factory.createTypeLiteralNode(sorted(visited.members));
      return visited;
    };
    return (root) => visit(root) ?? root;
  };
}
