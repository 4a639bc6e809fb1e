/** The house rule that Oxlint has not. */
const shortConstructors = {
  create: (context) => ({
    'MethodDefinition[kind="constructor"] > FunctionExpression[params.length>5]'(node) {
      context.report({ node, message: 'A constructor takes at most five things: some of these belong together.' });
    },
  }),
};

export default { meta: { name: 'house' }, rules: { 'short-constructors': shortConstructors } };
