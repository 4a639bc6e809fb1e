/**
 * The version of this package, which the admin word `version` answers.
 *
 * Written here, where a test compares it with package.json: reading that file
 * needs `import.meta`, which Jest cannot compile for CommonJS apps.
 */
export const VERSION = '0.1.0';
